#!/bin/sh
# SPDX-License-Identifier: ISC
# The short form of the benchmark: a flood counted exactly, without times.
exec tests/bench/sensor-live.py --check
