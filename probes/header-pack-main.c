/* SPDX-License-Identifier: ISC */
/*
 * header-pack FILE.lua...: the headers of these scripts as C, for the build.
 * They are part of the source tree and run as the compiler does, without a
 * sandbox.
 */
#include <stdio.h>
#include <string.h>

#include "probes/script/header.h"
#include "probes/script/shipped.h"
#include "probes/script/state.h"

static void print_octets(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%s%u,", i % 16 == 0 ? "\n\t" : " ", bytes[i]);
}

static int read_header(
    const char *path, uint8_t *digest, struct buf *to, struct errmsg *msg)
{
	static char source[HOST_SOURCE_MAX];
	struct host host = { .client = { .fd = -1 } };
	FILE *f = fopen(path, "re");
	if (!f)
		return err_set(msg, ERR_NOT_FOUND, "cannot be read");
	size_t len = fread(source, 1, sizeof(source), f);
	fclose(f);
	shipped_digest(digest, source, len);
	if (!host_state_new(&host))
		return err_set(msg, ERR_LIMIT, "no memory for Lua");
	int err = host_run_chunk(&host, source, len, path, msg);
	if (err == 0)
		err = header_write(host.L, to, msg);
	lua_close(host.L);
	return err;
}

int main(int argc, char **argv)
{
	static uint8_t digests[64][SHIPPED_DIGEST_BYTES];
	size_t count = 0, lens[64] = { 0 };
	struct errmsg msg = { "" };
	printf("#include \"probes/script/shipped.h\"\n");
	for (; count + 1 < (size_t)argc && count < 64; count++) {
		struct buf b = { 0 };
		const char *path = argv[count + 1];
		if (read_header(path, digests[count], &b, &msg) != 0) {
			fprintf(
			    stderr, "header-pack: %s: %s\n", path, msg.text);
			return 1;
		}
		printf("static const uint8_t header%zu[] = {", count);
		print_octets(b.data, b.len);
		printf("\n};\n");
		lens[count] = b.len;
		buf_fini(&b);
	}
	printf("const struct shipped_header shipped_headers[] = {\n");
	for (size_t i = 0; i < count; i++) {
		printf("{ {");
		print_octets(digests[i], SHIPPED_DIGEST_BYTES);
		printf("\n}, header%zu, %zu },\n", i, lens[i]);
	}
	printf("};\nconst size_t shipped_header_count = %zu;\n", count);
	return fflush(stdout) == 0 ? 0 : 1;
}
