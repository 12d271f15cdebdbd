/* SPDX-License-Identifier: ISC */
/* The networks that a guardian can stand on. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "probes/net/net.h"
#include "probes/packet/probe.h"

static const struct net_ops *const networks[] = { &net_live, &net_echo,
	&net_sim, NULL };

const struct net_ops *net_find(
    const char *text, const char **spec, struct errmsg *msg)
{
	size_t len = strcspn(text, ":");
	*spec = text[len] == ':' ? text + len + 1 : NULL;
	for (size_t i = 0; networks[i]; i++)
		if (strlen(networks[i]->name) == len &&
		    strncmp(networks[i]->name, text, len) == 0)
			return networks[i];
	err_set(msg, ERR_USAGE,
	    "network: expected 'live', 'echo' or 'sim:FILE', got '%.100s'",
	    text);
	return NULL;
}

struct net_flow net_flow_of(
    const struct probe *p, const struct net_choice *choice)
{
	const char *zone =
	    p->zone[0] && !choice->no_zones ? p->zone : choice->device;
	struct net_flow flow = { .dst = p->dst,
		.proto = p->proto,
		.tos = p->tos,
		.sport = p->sport,
		.dport = p->dport,
		.flow_label = p->flow_label,
		.src = choice->source[p->dst.family == 6],
		.mark = choice->mark };
	/* A worker need not have ended it. */
	memcpy(flow.zone, zone, sizeof(flow.zone) - 1);
	return flow;
}

uint64_t net_secret(const struct net_ops *ops)
{
	uint64_t key = 1;
	if (!net_is_virtual(ops) &&
	    getrandom(&key, sizeof(key), 0) != sizeof(key))
		BUG("getrandom: %s", strerror(errno));
	return key;
}

size_t net_polls(
    const struct net_ops *ops, void *ctx, struct pollfd polls[static NET_FDS])
{
	int fds[NET_FDS];
	size_t count = ops->fds(ctx, fds, NET_FDS);
	for (size_t i = 0; i < count; i++)
		polls[i] = (struct pollfd){ fds[i], POLLIN, 0 };
	return count;
}

static int add_word(
    struct buf *to, const char *key, const char *value, struct errmsg *msg)
{
	if (strchr(value, ','))
		return err_set(msg, ERR_USAGE,
		    "%s: expected one value, got '%.80s'", key, value);
	buf_printf(to, "%s%s=%s", to->len ? "," : "", key, value);
	return 0;
}

static int add_wishes(
    struct buf *to, const struct net_wish *wish, struct errmsg *msg)
{
	int err =
	    wish->interface ? add_word(to, "interface", wish->interface, msg)
			    : 0;
	if (!err && wish->mark)
		err = add_word(to, "mark", wish->mark, msg);
	for (size_t i = 0; i < wish->source_count && !err; i++)
		err = add_word(to, "source", wish->sources[i], msg);
	for (size_t i = 0; i < wish->run_mark_count && !err; i++)
		err = add_word(to, "run-mark", wish->run_marks[i], msg);
	return err;
}

int net_spec_join(char **joined, const struct net_ops *net, const char *spec,
    const struct net_wish *wish, struct errmsg *msg)
{
	struct buf text = { 0 };
	bool wished = wish->interface || wish->mark || wish->source_count ||
	    wish->run_mark_count;
	*joined = NULL;
	if (wished && net != &net_live && net != &net_echo)
		return err_set(msg, ERR_USAGE,
		    "interface, source and mark: expected the live network, "
		    "got '%s'",
		    net->name);
	if (spec)
		buf_printf(&text, "%s", spec);
	int err = add_wishes(&text, wish, msg);
	if (!err && text.len > 0) {
		*joined = xstrndup((const char *)text.data, text.len);
		err = net->check ? net->check(*joined, msg) : 0;
	}
	buf_fini(&text);
	if (err < 0) {
		free(*joined);
		*joined = NULL;
	}
	return err;
}

int64_t net_rtt(
    const struct net_stamp *tx, const struct net_stamp *rx, int64_t most)
{
	int64_t rtt = walltime_diff(rx->wall, tx->wall);
	if (most == INT64_MAX)
		return rtt;
	return rtt >= 0 && rtt <= most + NS_PER_MS ? rtt : most;
}

int net_find_route(const struct net_ops *ops, void *ctx,
    const struct net_flow *flow, bool shared, struct net_route *route)
{
	struct net_flow network = *flow;
	unsigned len = flow->dst.family == 4 ? 24 : 64;
	network.dst = prefix_of(&flow->dst, len).addr;
	if (shared && ops->route(ctx, &network, route) == 0 &&
	    route->next_hop.family != 0)
		return 0;
	return ops->route(ctx, flow, route);
}

void net_batch_add(struct net_batch *batch, size_t len, uint32_t cookie,
    const struct net_route *route, bool swept, bool hold)
{
	size_t at = batch->count++;
	batch->routes[at] = *route;
	batch->packets[at] = (struct net_send){ batch->bytes[at], len, cookie,
		&batch->routes[at], swept, hold };
}

size_t net_batch_send(
    struct net_batch *batch, const struct net_ops *ops, void *ctx)
{
	size_t count = batch->count;
	batch->count = 0;
	return count > 0 ? ops->send(ctx, batch->packets, count) : 0;
}

bool net_has_own(const struct net_ops *ops, void *ctx,
    const struct addr *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ops->is_own(ctx, &addresses[i]))
			return true;
	return false;
}

bool net_has_broadcast(const struct net_ops *ops, void *ctx,
    const struct addr *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ops->is_broadcast(ctx, &addresses[i]))
			return true;
	return false;
}
