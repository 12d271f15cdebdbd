/* SPDX-License-Identifier: ISC */
#pragma once

struct collector;

/* What query_overview keeps between two askings. */
void overview_open(struct collector *collector);
void overview_close(struct collector *collector);
