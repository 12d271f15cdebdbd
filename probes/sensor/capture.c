/* SPDX-License-Identifier: ISC */
/*
 * What is the same for every source of frames.
 */
#include <pcap/pcap.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"
#include "probes/sensor/capture-private.h"

void capture_init(struct capture *c, const struct capture_source *source,
    const char *name, const struct capture_config *config)
{
	c->source = source;
	c->name = xstrdup(name);
	c->filter = config->filter ? xstrdup(config->filter) : NULL;
	c->fd = -1;
}

int capture_failure(
    const struct capture *c, int code, const char *what, struct errmsg *msg)
{
	return err_set(msg, code, "%s: %s", c->name, what);
}

int capture_check_link(const struct capture *c, int dlt, struct errmsg *msg)
{
	if (packet_link_known(dlt))
		return 0;
	const char *name = pcap_datalink_val_to_name(dlt);
	return err_set(msg, ERR_MALFORMED,
	    "%s: link type %s (%d), expected one of those that "
	    "sonde-sensor(1) names",
	    c->name, name ? name : "unknown", dlt);
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	free(c->filter);
	free(c->name);
	c->source->close(c);
}

int capture_fd(const struct capture *c)
{
	return c->fd;
}

const char *capture_name(const struct capture *c)
{
	return c->name;
}

int capture_read(
    struct capture *c, int count, capture_fn *fn, void *arg, struct errmsg *msg)
{
	c->fn = fn;
	c->arg = arg;
	return c->source->read(c, count, msg);
}

uint64_t capture_dropped(struct capture *c)
{
	return c->source->dropped(c);
}

bool capture_finish(struct capture *c)
{
	if (c->source->finish)
		c->source->finish(c);
	return c->source->finish != NULL;
}

const char *capture_state_name(enum capture_state state)
{
	static const char *const names[] = { "absent", "down", "up" };
	return names[state];
}

size_t capture_coverage(
    struct capture *c, struct capture_coverage *coverage, size_t most)
{
	return c->source->coverage ? c->source->coverage(c, coverage, most) : 0;
}

size_t capture_current(const struct capture *c)
{
	return c->current;
}
