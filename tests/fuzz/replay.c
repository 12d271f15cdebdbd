/* SPDX-License-Identifier: ISC */
/*
 * Feeds every file of the folders on the command line to the fuzzer that it
 * is linked with: without libFuzzer, a fuzzer is a regression test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf b = { 0 };
	char block[4096];
	size_t n;
	while (f && (n = fread(block, 1, sizeof(block), f)) > 0)
		buf_bytes(&b, block, n);
	if (f)
		fclose(f);
	/* An exact copy, so that reading past the end is seen. */
	uint8_t *exact = xmemdup(b.data, b.len);
	LLVMFuzzerTestOneInput(exact, b.len);
	free(exact);
	buf_fini(&b);
}

static size_t replay_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	size_t count = 0;
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			char *file = xasprintf("%s/%s", path, names[i]->d_name);
			replay_file(file);
			free(file);
			count++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	for (int i = 1; i < argc; i++)
		count += replay_folder(argv[i]);
	if (count == 0) {
		printf("not ok 1 - the corpus is empty\n1..1\n");
		return 1;
	}
	printf("ok 1 - %zu inputs replayed\n1..1\n", count);
	return 0;
}
