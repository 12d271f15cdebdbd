/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): start with crc = 0 and feed
 * the bytes in any number of pieces; "123456789" gives 0xe3069283. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
