/* SPDX-License-Identifier: ISC */
/* A text in a row of CSV. */
#pragma once

#include <stdio.h>

#define CSV_END "\r\n" /* RFC 4180 */

/* Quoted where RFC 4180 wants it; what a spreadsheet would run as a formula
 * gets a quote in front.  NULL is an empty cell. */
void csv_cell(FILE *to, const char *text);
