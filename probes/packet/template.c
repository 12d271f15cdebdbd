/* SPDX-License-Identifier: ISC */
/*
 * One packet per family and protocol, built by libnet when the program
 * starts.  Apart from build.c because libnet's headers make macros of names
 * such as icmp_id.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/packet/template.h"

#include <libnet.h>

static libnet_ptag_t template_upper(
    libnet_t *net, enum template_upper upper, bool v6)
{
	switch (upper) {
	case TEMPLATE_UDP:
		return libnet_build_udp(1, 1, LIBNET_UDP_H, 0, NULL, 0, net, 0);
	case TEMPLATE_TCP:
		return libnet_build_tcp(
		    1, 1, 0, 0, TH_SYN, 0, 0, 0, LIBNET_TCP_H, NULL, 0, net, 0);
	default:
		if (v6)
			return libnet_build_icmpv6_echo(
			    ICMP6_ECHO, 0, 0, 0, 0, NULL, 0, net, 0);
		return libnet_build_icmpv4_echo(
		    ICMP_ECHO, 0, 0, 0, 0, NULL, 0, net, 0);
	}
}

static libnet_ptag_t template_ip(
    libnet_t *net, enum template_upper upper, bool v6)
{
	static const uint8_t protos[] = { IPPROTO_ICMP, IPPROTO_UDP,
		IPPROTO_TCP };
	static const uint8_t lens[] = { LIBNET_ICMPV4_ECHO_H, LIBNET_UDP_H,
		LIBNET_TCP_H };
	if (!v6)
		return libnet_build_ipv4(LIBNET_IPV4_H + lens[upper], 0, 0,
		    IP_DF, 1, protos[upper], 0, 0, 0, NULL, 0, net, 0);
	struct libnet_in6_addr none = { 0 };
	return libnet_build_ipv6(0, 0, lens[upper],
	    upper == TEMPLATE_ICMP ? IPPROTO_ICMPV6 : protos[upper], 1, none,
	    none, NULL, 0, net, 0);
}

static int template_init(
    struct probe_template *t, libnet_t *net, enum template_upper upper, bool v6)
{
	uint8_t *bytes = NULL;
	uint32_t len = 0;
	libnet_clear_packet(net);
	if (template_upper(net, upper, v6) == -1 ||
	    template_ip(net, upper, v6) == -1 ||
	    libnet_pblock_coalesce(net, &bytes, &len) == -1)
		return ERR_UNSUPPORTED;
	if (len > sizeof(t->bytes))
		BUG("template of %u octets", len);
	memcpy(t->bytes, bytes, len);
	t->len = len;
	free(bytes);
	return 0;
}

struct probe_builder *probe_builder_new(struct errmsg *msg)
{
	char why[LIBNET_ERRBUF_SIZE] = "";
	libnet_t *net = libnet_init(LIBNET_NONE, NULL, why);
	if (!net) {
		err_set(msg, ERR_UNSUPPORTED, "libnet: %.200s", why);
		return NULL;
	}
	struct probe_builder *builder = xcalloc(1, sizeof(*builder));
	int err = 0;
	for (int i = 0; i < 2 * TEMPLATE_COUNT && err == 0; i++)
		err = template_init(
		    &builder->templates[i & 1][i / 2], net, i / 2, i & 1);
	if (err != 0) {
		err_set(msg, err, "libnet: %.200s", libnet_geterror(net));
		probe_builder_free(builder);
		builder = NULL;
	}
	libnet_destroy(net);
	return builder;
}

void probe_builder_free(struct probe_builder *builder)
{
	free(builder);
}
