/* SPDX-License-Identifier: ISC */
/* Payloads: kept once, asked for by their hash, so the hash must be true. */
#include <sodium.h>
#include <string.h>

#include "collector/ingest/kinds/ingest-kind.h"

static int prepare_payload(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Payload *payload = record->payload;
	uint8_t hash[16], sha256[crypto_hash_sha256_BYTES];
	(void)to;
	(void)msg;
	crypto_generichash(hash, sizeof(hash), payload->octets.data,
	    payload->octets.len, NULL, 0);
	crypto_hash_sha256(sha256, payload->octets.data, payload->octets.len);
	bool well = payload->sha256.len == 0 || /* of an earlier agent */
	    (payload->sha256.len == sizeof(sha256) &&
		memcmp(payload->sha256.data, sha256, sizeof(sha256)) == 0);
	return well && payload->hash.len == sizeof(hash) &&
	    memcmp(payload->hash.data, hash, sizeof(hash)) == 0;
}

const struct ingest_kind ingest_payload = {
	.prepare = prepare_payload,
};
