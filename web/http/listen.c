/* SPDX-License-Identifier: ISC */
/* Addresses, sockets and certificates, with words for what can be wrong. */

#include "web/http/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

enum { BACKLOG = 511, PEM_MAX = 1 << 20 };

static bool is_loopback(const struct addr *addr)
{
	static const uint8_t v6[16] = { [15] = 1 };
	return addr->family == 4 ? addr->bytes[0] == 127
				 : memcmp(addr->bytes, v6, sizeof(v6)) == 0;
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" */
static bool parse_endpoint(struct listen_at *at, const char *text)
{
	char addr[ADDR_TEXT_LEN];
	bool bracket = *text == '[';
	text += bracket;
	size_t len = strcspn(text, bracket ? "]" : ":");
	if (len == 0 || len >= sizeof(addr) || text[len] == 0)
		return false;
	memcpy(addr, text, len);
	addr[len] = 0;
	const char *port = text + len + 1;
	if (bracket && *port++ != ':')
		return false;
	size_t digits = strspn(port, "0123456789");
	unsigned long value = strtoul(port, NULL, 10);
	if (digits == 0 || digits > 5 || port[digits] || value > 65535)
		return false;
	at->port = (uint16_t)value;
	return addr_parse(&at->addr, addr) == 0 &&
	    (at->addr.family == 6) == bracket;
}

int listen_parse(struct listen_at *at, const char *text, struct errmsg *msg)
{
	const char *endpoint = text;
	bool http = strncmp(text, "http://", 7) == 0;
	bool https = strncmp(text, "https://", 8) == 0;
	endpoint += http ? 7 : https ? 8 : 0;
	if (!parse_endpoint(at, endpoint))
		return err_set(msg, ERR_CONFIG,
		    "listen: expected [http[s]://]ADDRESS:PORT with a numeric "
		    "address, IPv6 in brackets, got '%.100s'",
		    text);
	if (http && !is_loopback(&at->addr))
		return err_set(msg, ERR_CONFIG,
		    "listen: plain HTTP is for loopback addresses only, got "
		    "'%.60s'; write https:// and set tls-cert and tls-key",
		    text);
	at->tls = https || !is_loopback(&at->addr);
	return 0;
}

static socklen_t to_sockaddr(
    const struct listen_at *at, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (at->addr.family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;
		in->sin_family = AF_INET;
		in->sin_port = htons(at->port);
		memcpy(&in->sin_addr, at->addr.bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(at->port);
	memcpy(&in6->sin6_addr, at->addr.bytes, 16);
	return sizeof(*in6);
}

static int bind_and_listen(int fd, struct listen_at *at)
{
	struct sockaddr_storage ss;
	socklen_t len = to_sockaddr(at, &ss);
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return -errno;
	if (at->addr.family == 6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&ss, len) != 0 ||
	    listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return -errno;
	at->port = ntohs(at->addr.family == 4
		? ((struct sockaddr_in *)&ss)->sin_port
		: ((struct sockaddr_in6 *)&ss)->sin6_port);
	return 0;
}

int listen_open(int *fd, struct listen_at *at, struct errmsg *msg)
{
	char url[80];
	listen_url(at, url);
	*fd = socket(at->addr.family == 4 ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err = *fd < 0 ? -errno : bind_and_listen(*fd, at);
	if (err == 0)
		return 0;
	if (*fd >= 0)
		close(*fd);
	return err_set(msg, err, "listen: %s: %s", url, err_str(err));
}

void listen_url(const struct listen_at *at, char to[static 80])
{
	char addr[ADDR_TEXT_LEN];
	bool v6 = at->addr.family == 6;
	snprintf(to, 80, "http%s://%s%s%s:%u", at->tls ? "s" : "",
	    v6 ? "[" : "", addr_text(&at->addr, addr), v6 ? "]" : "", at->port);
}

static int read_pem(
    char **to, const char *key, const char *path, struct errmsg *msg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : 0;
	size_t len = 0;
	*to = xcalloc(1, PEM_MAX + 1);
	while (err == 0 && len < PEM_MAX) {
		ssize_t n = read(fd, *to + len, PEM_MAX - len);
		if (n == 0)
			break;
		if (n < 0)
			err = -errno;
		else
			len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	if (err == 0)
		return 0;
	free(*to);
	*to = NULL;
	err_set(msg, ERR_CONFIG, "%s '%s': %s", key, path, err_str(err));
	return ERR_CONFIG;
}

/* A server that starts with a key of another certificate fails each
 * handshake without a word; so ask GnuTLS now. */
static int try_pair(const struct listen_tls *tls, struct errmsg *msg)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t cert = { (unsigned char *)tls->cert,
		(unsigned)strlen(tls->cert) };
	gnutls_datum_t key = { (unsigned char *)tls->key,
		(unsigned)strlen(tls->key) };
	int err = gnutls_certificate_allocate_credentials(&credentials);
	if (err < 0)
		return err_set(msg, -ENOMEM, "%s", gnutls_strerror(err));
	err = gnutls_certificate_set_x509_key_mem(
	    credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(credentials);
	if (err < 0)
		return err_set(msg, ERR_CONFIG, "tls-cert and tls-key: %s",
		    gnutls_strerror(err));
	return 0;
}

int listen_load_tls(struct listen_tls *tls, const char *cert_path,
    const char *key_path, struct errmsg *msg)
{
	memset(tls, 0, sizeof(*tls));
	if (!cert_path || !key_path)
		return err_set(msg, ERR_CONFIG,
		    "listen: https needs both tls-cert and tls-key");
	int err = read_pem(&tls->cert, "tls-cert", cert_path, msg);
	if (err < 0)
		goto out;
	err = read_pem(&tls->key, "tls-key", key_path, msg);
	if (err < 0)
		goto out;
	err = try_pair(tls, msg);
out:
	if (err < 0)
		listen_free_tls(tls);
	return err;
}

void listen_free_tls(struct listen_tls *tls)
{
	free(tls->cert);
	if (tls->key)
		explicit_bzero(tls->key, strlen(tls->key));
	free(tls->key);
	memset(tls, 0, sizeof(*tls));
}
