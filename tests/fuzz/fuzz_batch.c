/* SPDX-License-Identifier: ISC */
/* The header is signed again, as a hostile agent with a key would. */
#include <sodium.h>
#include <stdlib.h>

#include "lib/record/batch.h"
#include "lib/base/xalloc.h"

enum { SIGNED = 92 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = { 1 };
	uint8_t public_key[32], secret_key[64], *bytes = xmemdup(data, size);
	struct batch_header header;
	struct buf raw = { 0 };
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	if (size >= SIGNED + 64)
		crypto_sign_detached(
		    bytes + SIGNED, NULL, bytes, SIGNED, secret_key);
	if (batch_header_read(&header, bytes, size, NULL) == 0 &&
	    batch_open(&header, bytes, size, public_key, &raw, NULL) == 0 &&
	    (raw.len != header.raw_len || raw.len > BATCH_MAX_RAW))
		abort();
	buf_fini(&raw);
	free(bytes);
	return 0;
}
