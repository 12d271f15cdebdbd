/* SPDX-License-Identifier: ISC */
/* What an agent's shipper does, without an agent. */

#include "tests/web/synth.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

void synth_hex(char *to, const uint8_t *bytes, size_t len)
{
	sodium_bin2hex(to, len * 2 + 1, bytes, len);
}

static void know_yourself(struct synth *agent)
{
	crypto_sign_ed25519_sk_to_pk(agent->public, agent->secret);
	crypto_generichash(agent->id, sizeof(agent->id), agent->public,
	    sizeof(agent->public), NULL, 0);
	agent->epoch = agent->next_seq = 1;
}

void synth_new(struct synth *agent)
{
	memset(agent, 0, sizeof(*agent));
	if (sodium_init() < 0)
		BUG("libsodium does not start");
	crypto_sign_keypair(agent->public, agent->secret);
	know_yourself(agent);
}

int synth_save(const struct synth *agent, const char *path)
{
	char hex[129];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	synth_hex(hex, agent->secret, sizeof(agent->secret));
	hex[128] = '\n';
	ssize_t n = write(fd, hex, 129);
	return close(fd) == 0 && n == 129 ? 0 : -1;
}

int synth_load(struct synth *agent, const char *path)
{
	char hex[130] = "";
	size_t len = 0;
	memset(agent, 0, sizeof(*agent));
	FILE *f = fopen(path, "re");
	if (sodium_init() < 0 || !f)
		return -1;
	size_t n = fread(hex, 1, 128, f);
	fclose(f);
	if (n != 128 ||
	    sodium_hex2bin(agent->secret, sizeof(agent->secret), hex, 128, NULL,
		&len, NULL) != 0 ||
	    len != 64)
		return -1;
	know_yourself(agent);
	return 0;
}

void synth_fini(struct synth *agent)
{
	buf_fini(&agent->raw);
	sodium_memzero(agent->secret, sizeof(agent->secret));
}

static void sign(
    const struct synth *agent, const struct buf *bytes, char hex[static 129])
{
	uint8_t signature[crypto_sign_BYTES];
	crypto_sign_detached(
	    signature, NULL, bytes->data, bytes->len, agent->secret);
	synth_hex(hex, signature, sizeof(signature));
}

json_t *synth_enrol_body(
    const struct synth *agent, const char *token, const char *name)
{
	char signature[129], key[65];
	struct buf bytes = { 0 };
	buf_bytes(&bytes, "sonde-enrol", sizeof("sonde-enrol"));
	buf_bytes(&bytes, token, strlen(token) + 1);
	buf_bytes(&bytes, agent->public, sizeof(agent->public));
	buf_u8(&bytes, 0);
	buf_bytes(&bytes, name, strlen(name));
	sign(agent, &bytes, signature);
	buf_fini(&bytes);
	synth_hex(key, agent->public, sizeof(agent->public));
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "token", token, "public_key",
	    key, "name", name, "version", SONDE_VERSION, "signature",
	    signature);
}

void synth_sign_work(const struct synth *agent, const char *time_ns,
    const char *target, char hex[static 129])
{
	struct buf bytes = { 0 };
	buf_bytes(&bytes, "sonde-work", sizeof("sonde-work"));
	buf_bytes(&bytes, agent->id, sizeof(agent->id));
	buf_u8(&bytes, 0);
	buf_bytes(&bytes, time_ns, strlen(time_ns) + 1);
	buf_bytes(&bytes, target, strlen(target));
	sign(agent, &bytes, hex);
	buf_fini(&bytes);
}

void synth_add(struct synth *agent, const Sonde__Record *record)
{
	struct errmsg msg;
	struct buf packed = { 0 };
	if (record_pack(record, &packed, &msg) != 0)
		BUG("record: %s", msg.text);
	buf_be32(&agent->raw, (uint32_t)packed.len);
	buf_bytes(&agent->raw, packed.data, packed.len);
	buf_fini(&packed);
	agent->count++;
}

bool synth_seal(struct synth *agent, struct buf *to)
{
	struct errmsg msg;
	struct batch_header header = { .epoch = agent->epoch,
		.gap_from = agent->next_seq,
		.first_seq = agent->next_seq,
		.count = agent->count };
	if (agent->count == 0)
		return false;
	memcpy(header.agent, agent->id, sizeof(agent->id));
	if (batch_seal(to, &header, agent->raw.data, agent->raw.len,
		agent->secret, &msg) != 0)
		BUG("batch: %s", msg.text);
	agent->next_seq += agent->count;
	agent->count = 0;
	buf_clear(&agent->raw);
	return true;
}
