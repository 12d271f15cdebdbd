/* SPDX-License-Identifier: ISC */
/*
 * header-pack FILE.lua...: the headers and the code of these scripts as C, for
 * the build.
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

static int add_code(lua_State *L, const void *bytes, size_t len, void *to)
{
	(void)L;
	buf_bytes(to, bytes, len);
	return 0;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Not yet run.  Lines stay, for errors. */
static int write_code(struct host *host, const char *source, size_t len,
    const char *name, struct buf *to)
{
	char chunk[128];
	snprintf(chunk, sizeof(chunk), "=%s", name);
	if (luaL_loadbufferx(host->L, source, len, chunk, "t") != LUA_OK ||
	    lua_dump(host->L, add_code, to, 0) != 0)
		return ERR_UNSUPPORTED;
	lua_pop(host->L, 1);
	return 0;
}

static int read_header(
    const char *path, uint8_t *digest, struct buf to[2], struct errmsg *msg)
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
	int err = write_code(&host, source, len, file_name(path), &to[1]);
	if (err < 0)
		return err_set(msg, err, "cannot be compiled");
	err = host_run_chunk(&host, source, len, path, msg);
	if (err == 0)
		err = header_write(host.L, &to[0], msg);
	lua_close(host.L);
	return err;
}

/* The library, which is in this program as text. */
static int print_codes(void)
{
	struct host host = { .client = { .fd = -1 } };
	struct buf all = { 0 };
	size_t ends[64];
	if (!host_state_new(&host) || shipped_library_count > 64)
		return ERR_LIMIT;
	for (size_t i = 0; i < shipped_library_count; i++) {
		const struct shipped_library *library = &shipped_libraries[i];
		char name[64];
		snprintf(name, sizeof(name), "%s.lua", library->name);
		int err = write_code(
		    &host, library->source, library->source_len, name, &all);
		if (err < 0)
			return err;
		ends[i] = all.len;
	}
	printf("static const uint8_t library[] = {");
	print_octets(all.data, all.len);
	printf("\n};\nconst struct shipped_code shipped_codes[] = {\n");
	for (size_t i = 0, start = 0; i < shipped_library_count; i++) {
		printf("{ library + %zu, %zu },\n", start, ends[i] - start);
		start = ends[i];
	}
	printf("};\n");
	buf_fini(&all);
	lua_close(host.L);
	return 0;
}

int main(int argc, char **argv)
{
	static uint8_t digests[64][SHIPPED_DIGEST_BYTES];
	size_t count = 0;
	struct errmsg msg = { "" };
	printf("#include \"probes/script/shipped.h\"\n");
	for (; count + 1 < (size_t)argc && count < 64; count++) {
		struct buf b[2] = { { 0 }, { 0 } };
		const char *path = argv[count + 1];
		if (read_header(path, digests[count], b, &msg) != 0) {
			fprintf(
			    stderr, "header-pack: %s: %s\n", path, msg.text);
			return 1;
		}
		printf("static const uint8_t header%zu[] = {", count);
		print_octets(b[0].data, b[0].len);
		printf("\n};\nstatic const uint8_t code%zu[] = {", count);
		print_octets(b[1].data, b[1].len);
		printf("\n};\n");
		buf_fini(&b[0]);
		buf_fini(&b[1]);
	}
	printf("const struct shipped_header shipped_headers[] = {\n");
	for (size_t i = 0; i < count; i++) {
		printf("{ {");
		print_octets(digests[i], SHIPPED_DIGEST_BYTES);
		printf("\n}, header%zu, sizeof(header%zu), \"%s\", code%zu, "
		       "sizeof(code%zu) },\n",
		    i, i, file_name(argv[i + 1]), i, i);
	}
	printf("};\nconst size_t shipped_header_count = %zu;\n", count);
	if (print_codes() < 0) {
		fprintf(stderr, "header-pack: no code of the library\n");
		return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
