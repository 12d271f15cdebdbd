#!/bin/sh
# SPDX-License-Identifier: ISC
# 500 kills, then the ledger; see run.py for the knobs.
exec python3 "${0%/*}/run.py"
