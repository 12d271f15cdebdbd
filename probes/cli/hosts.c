/* SPDX-License-Identifier: ISC */
/* Hosts as people write them: words from files, names to addresses. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/cli/hosts.h"

#define WORDS_MAX 1000000
#define NAME_MAX_LEN 255

void word_list_add(struct word_list *list, char *word)
{
	VEC_ROOM(list->words, list->count);
	list->words[list->count++] = word;
}

void word_list_fini(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->words[i]);
	free(list->words);
	*list = (struct word_list){ 0 };
}

int word_list_read(struct word_list *list, const char *path, struct errmsg *msg)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "re");
	if (!f)
		return err_set(
		    msg, -errno, "%.180s: %s", path, strerror(errno));
	char *line = NULL;
	size_t size = 0;
	int err = 0;
	while (!err && getline(&line, &size, f) >= 0) {
		char *word = line + strspn(line, " \t\r\n");
		word[strcspn(word, " \t\r\n#")] = '\0';
		if (*word == '\0')
			continue;
		if (list->count == WORDS_MAX)
			err = err_set(msg, ERR_LIMIT,
			    "%.180s: more than %d hosts", path, WORDS_MAX);
		else
			word_list_add(list, xstrdup(word));
	}
	if (!err && ferror(f))
		err = err_set(msg, -errno, "%.180s: %s", path, strerror(errno));
	free(line);
	if (!standard)
		fclose(f);
	return err;
}

static int family_bad(const struct addr *a, int family, struct errmsg *msg)
{
	if (family == 0 || a->family == family)
		return 0;
	return err_set(msg, ERR_NOT_FOUND, "expected an IPv%d address", family);
}

static int system_resolve(
    const char *host, int family, struct addr *a, struct errmsg *msg)
{
	struct addrinfo hints = {
		.ai_family = family == 4 ? AF_INET
		    : family == 6        ? AF_INET6
					 : AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = family ? 0 : AI_ADDRCONFIG,
	};
	struct addrinfo *found;
	int code = getaddrinfo(host, NULL, &hints, &found);
	if (family && (code == EAI_NODATA || code == EAI_ADDRFAMILY))
		return err_set(msg, ERR_NOT_FOUND,
		    "this name has no IPv%d address", family);
	if (code != 0)
		return err_set(msg,
		    code == EAI_AGAIN ? ERR_UNAVAILABLE : ERR_NOT_FOUND, "%s",
		    gai_strerror(code));
	const struct sockaddr_in *v4 = (const void *)found->ai_addr;
	const struct sockaddr_in6 *v6 = (const void *)found->ai_addr;
	*a = found->ai_family == AF_INET ? addr_from_bytes(&v4->sin_addr, 4)
					 : addr_from_bytes(&v6->sin6_addr, 16);
	freeaddrinfo(found);
	return 0;
}

/* No such node, or one without an address of the family? */
static int node_missing(const struct net_ops *net, void *net_ctx,
    const char *host, int family, struct errmsg *msg)
{
	struct addr other;
	if (family && net->resolve(net_ctx, host, 0, &other) == 0)
		return err_set(msg, ERR_NOT_FOUND,
		    "this node has no IPv%d address", family);
	return err_set(msg, ERR_NOT_FOUND, "no such node in this network");
}

char *host_resolve(const struct net_ops *net, void *net_ctx, const char *host,
    int family, struct errmsg *msg)
{
	struct addr a;
	char text[ADDR_TEXT_LEN];
	if (addr_parse(&a, host) == 0) {
		if (family_bad(&a, family, msg) == 0)
			return xstrdup(addr_text(&a, text));
		err_prefix(msg, "%.60s", host);
		return NULL;
	}
	int err = ERR_NOT_FOUND;
	/* The resolver would read "1.2.3" as 1.2.0.3, another host's. */
	if (host[strspn(host, "0123456789.")] == '\0')
		err_set(msg, err, "neither an address nor a name");
	else if (strlen(host) > NAME_MAX_LEN || strchr(host, '='))
		err_set(msg, err, "not a host name");
	else if (!net->resolve)
		err = system_resolve(host, family, &a, msg);
	else if (net->resolve(net_ctx, host, family, &a) == 0)
		err = 0;
	else
		err = node_missing(net, net_ctx, host, family, msg);
	if (err) {
		err_prefix(msg, "%.60s", host);
		return NULL;
	}
	return xasprintf("%s=%s", addr_text(&a, text), host);
}
