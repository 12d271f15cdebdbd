/* SPDX-License-Identifier: ISC */
/* The sensor as a process of the agent. */
#include "probes/agent/supervisor/children.h"
#include "probes/ipc/process.h"
#include "probes/sensor/sensor.h"

static bool sensor_wanted(const struct supervisor *s)
{
	return s->config.interface_count > 0;
}

static size_t sensor_channels(
    const struct supervisor *s, const struct child *self, int *fds)
{
	(void)self;
	fds[0] = s->sensor_records[THEIRS];
	fds[1] = s->sensor_feed[THEIRS];
	fds[2] = s->places_fd;
	return 3;
}

static int sensor_main(
    struct supervisor *s, struct child *self, struct errmsg *msg)
{
	const struct agent_config *c = &s->config;
	const struct sensor_opening opening = { .interfaces = c->interfaces,
		.interface_count = c->interface_count,
		.promiscuous = c->promiscuous,
		.places_fd = s->places_fd,
		.feed_fd = s->sensor_feed[THEIRS] };
	const struct sensor_config config = { .record_fd =
						  s->sensor_records[THEIRS],
		.counters = self->counters,
		.interval_s = (uint32_t)(c->sensor_interval_ns / NS_PER_S),
		.max_sources = c->sensor_sources,
		.homes = c->homes,
		.home_count = c->home_count,
		.stop = process_signals_flag() };
	struct sensor_capture *capture;
	int err = sensor_open(&capture, &opening, msg);
	if (err < 0)
		return err;
	err = child_enter(s, self, NULL, msg);
	return err < 0 ? err : sensor_run(capture, &config, msg);
}

const struct process process_sensor = {
	.name = "sensor",
	.role = SANDBOX_SENSOR,
	.end_step = END_MAKERS,
	.alive = SENSOR_WATCHING,
	.may_finish = true, /* a capture file ends */
	.wanted = sensor_wanted,
	.channels = sensor_channels,
	.main = sensor_main,
};
