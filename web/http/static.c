/* SPDX-License-Identifier: ISC */
/* Files to browsers.  Names are looked up in a table, or below one folder
 * where the kernel (openat2) refuses a path that leads out of it. */

#include "web/http/static.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "web/http/assets.h"
#include "web/http/problem.h"

enum { FILE_MAX_BYTES = 16 << 20 };

struct pages {
	int root; /* -1: the files in the program */
};

int pages_open(struct pages **pages, const char *root, struct errmsg *msg)
{
	int fd = -1;
	if (root) {
		fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_set(msg, ERR_CONFIG, "web-root '%s': %s",
			    root, err_str(-errno));
	}
	*pages = xmalloc(sizeof(**pages));
	(*pages)->root = fd;
	return 0;
}

void pages_close(struct pages *pages)
{
	if (!pages)
		return;
	if (pages->root >= 0)
		close(pages->root);
	free(pages);
}

static const char *media_type(const char *name)
{
	static const char *const types[][2] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".json", "application/json" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".woff2", "font/woff2" },
	};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i][0], dot) == 0)
			return types[i][1];
	return "application/octet-stream";
}

/* main-3F2A9C01.js: the build puts a hash of the content into the name, so
 * the bytes behind the name never change. */
static bool has_hashed_name(const char *name)
{
	enum { HASH_LEN = 8 };
	const char *dot = strrchr(name, '.');
	if (!dot || dot - name < HASH_LEN + 1 || dot[-HASH_LEN - 1] != '-')
		return false;
	for (const char *p = dot - HASH_LEN; p < dot; p++)
		if (!(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9'))
			return false;
	return true;
}

void static_asset(struct request *request, const struct asset *asset)
{
	struct response *response = &request->response;
	response->status = 200;
	response->content_type = media_type(asset->name);
	response->varies_by_encoding = true;
	response->cache_control = has_hashed_name(asset->name)
	    ? "public, max-age=31536000, immutable"
	    : "no-cache";
	if (asset->packed && request_takes_gzip(request)) {
		response->fixed = asset->packed;
		response->fixed_len = asset->packed_len;
		response->etag = asset->packed_etag;
		response->encoding = "gzip";
	} else {
		response->fixed = asset->data;
		response->fixed_len = asset->len;
		response->etag = asset->etag;
	}
}

static bool serve_asset(struct request *request, const char *name)
{
	for (const struct asset *a = request->app->pages; a->name; a++) {
		if (strcmp(a->name, name) == 0) {
			static_asset(request, a);
			return true;
		}
	}
	return false;
}

static bool read_all(int fd, struct buf *to)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX_BYTES)
		return false;
	char block[65536];
	ssize_t n;
	while ((n = read(fd, block, sizeof(block))) > 0 &&
	    to->len <= FILE_MAX_BYTES)
		buf_bytes(to, block, (size_t)n);
	return n == 0;
}

static bool serve_file(struct request *request, int root, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
	if (fd < 0)
		return false;
	bool ok = read_all(fd, &request->response.body);
	close(fd);
	if (!ok) {
		buf_fini(&request->response.body);
		return false;
	}
	request->response.status = 200;
	request->response.content_type = media_type(name);
	request->response.cache_control = "no-cache";
	return true;
}

static bool serve_page(
    struct request *request, const struct pages *pages, const char *name)
{
	int root = pages->root;
	if (root < 0)
		return serve_asset(request, name);
	/* Not the hidden ones: editors and version control keep theirs so. */
	if (name[0] == '.' || strstr(name, "/."))
		return false;
	return serve_file(request, root, name);
}

void static_answer(struct request *request, const struct pages *pages)
{
	char path[512];
	if (percent_decode(path, sizeof(path), request->target,
		request->path_len, false) != 0) {
		problem_answer(request, PROBLEM_NOT_FOUND, "no such page");
		return;
	}
	const char *name = path[1] ? path + 1 : "index.html";
	if (serve_page(request, pages, name))
		return;
	const char *last = strrchr(path, '/') + 1;
	if (!strchr(last, '.') && !strstr(path, "/.") &&
	    serve_page(request, pages, "index.html"))
		return;
	problem_answer(request, PROBLEM_NOT_FOUND, "no such page");
}
