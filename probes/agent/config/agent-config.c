/* SPDX-License-Identifier: ISC */
/* The keys of agent.conf as rows, and their values as a checked struct. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/agent/config/agent-config.h"
#include "lib/https/url.h"
#include "probes/net/net.h"
#include "probes/sensor/sensor.h"

#define MS 1e6
#define SECOND 1e9
#define NO_BOUND (-1)

const struct option_row agent_config_rows[] = {
	{ "collector", 0, OPTION_TEXT, "URL", NULL, 0, 0, NULL,
	    "where records go; https, or http to this machine" },
	{ "ca-file", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
	    "certificates that may vouch for the collector" },
	{ "name", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "what people call this agent; the host's name if absent" },
	{ "state-dir", 0, OPTION_TEXT, "FOLDER", NULL, 0, 0,
	    "/var/lib/sonde-agent", "identity and spool" },
	{ "user", 0, OPTION_TEXT, "USER", NULL, 0, 0, "nobody",
	    "whom processes become when started as root" },
	{ "policy", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL,
	    "what may be sent, sonde-policy(5)" },
	{ "net", 0, OPTION_TEXT, "NET", NULL, 0, 0, "live:buffer=1M",
	    "live, or sim:FILE for a simulated internet" },
	{ "interface", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "the device that probes leave by; the route's if absent" },
	{ "source", 0, OPTION_LIST, "ADDRESSES", NULL, 0, 0, NULL,
	    "of this host, one a family, that probes leave from" },
	{ "mark", 0, OPTION_TEXT, "N", NULL, 0, 0, NULL,
	    "the mark that rules of routing see on probes" },
	{ "campaign-interfaces", 0, OPTION_LIST, "NAMES", NULL, 0, 0, NULL,
	    "devices that a campaign may choose; none: none" },
	{ "campaign-sources", 0, OPTION_LIST, "ADDRESSES", NULL, 0, 0, NULL,
	    "of this host, that a campaign may choose; none: none" },
	{ "campaign-marks", 0, OPTION_LIST, "NUMBERS", NULL, 0, 0, NULL,
	    "that a campaign may choose; none: none" },
	{ "sensor-interfaces", 0, OPTION_LIST, "NAMES", NULL, 0, 0, NULL,
	    "where the sensor listens; none: no sensor" },
	{ "home-prefixes", 0, OPTION_LIST, "PREFIXES", NULL, 0, 0, NULL,
	    "addresses whose own packets are not held against them" },
	{ "promiscuous", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "also take frames for other machines" },
	{ "sensor-interval", 0, OPTION_DURATION, "TIME", NULL, SECOND,
	    3600 * SECOND, "60s", "the sensor counts in intervals of this" },
	{ "sensor-sources", 0, OPTION_INTEGER, "COUNT", NULL, 64,
	    SENSOR_SOURCES_MAX, "32768",
	    "sources that the sensor remembers at a time" },
	{ "heartbeat", 0, OPTION_DURATION, "TIME", NULL, 100 * MS,
	    3600 * SECOND, "60s", "between two records of all counters" },
	{ "spool-size", 0, OPTION_SIZE, "BYTES", NULL, 65536, NO_BOUND, "256M",
	    "the most that waits on disk" },
	{ "spool-segment", 0, OPTION_SIZE, "BYTES", NULL, 4096, 64 * 1048576.0,
	    "8M", "the size of one file of the spool" },
	{ "feed", 0, OPTION_TEXT, "SOCKET", NULL, 0, 0, NULL,
	    "where local programs may add records" },
	{ "max-runs", 0, OPTION_INTEGER, "COUNT", NULL, 1, 64, "8",
	    "scripts that run at one time" },
	{ "retry-least", 0, OPTION_DURATION, "TIME", NULL, MS, 60 * SECOND,
	    "500ms", "the first wait after the collector failed, at most" },
	{ "retry-most", 0, OPTION_DURATION, "TIME", NULL, MS, 86400 * SECOND,
	    "60s", "and the last one" },
	{ "restart-least", 0, OPTION_DURATION, "TIME", NULL, MS, 60 * SECOND,
	    "100ms", "before a process that died is started again" },
	{ "crash-budget", 0, OPTION_INTEGER, "COUNT", NULL, 1, 1e9, "10",
	    "crashes in a row until a process is given up" },
	{ "allow-weak-sandbox", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "go on where a layer of isolation is missing" },
	{ "log-level", 0, OPTION_CHOICE, "LEVEL", "error|warn|info|debug", 0, 0,
	    "info", "the least severe line that is logged" },
	{ NULL, 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, NULL },
};

static enum log_level level_of(const char *text)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	for (int i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0)
			return (enum log_level)i;
	return LOG_INFO;
}

static int read_homes(struct agent_config *c, struct errmsg *msg)
{
	const char *const *homes;
	size_t count = config_list(c->raw, "home-prefixes", &homes);
	if (count > AGENT_MAX_HOMES)
		return err_set(msg, ERR_CONFIG,
		    "home-prefixes: expected at most %d, got %zu",
		    AGENT_MAX_HOMES, count);
	for (; c->home_count < count; c->home_count++)
		if (prefix_parse(&c->homes[c->home_count], homes[c->home_count],
			msg) != 0) {
			err_prefix(msg, "home-prefixes");
			return ERR_CONFIG;
		}
	return 0;
}

/* Only root can become another user, so only root needs to know which. */
static int read_user(struct agent_config *c, struct errmsg *msg)
{
	c->user = config_text(c->raw, "user");
	if (geteuid() != 0)
		return 0;
	const struct passwd *user = getpwnam(c->user);
	if (!user)
		return err_set(msg, ERR_CONFIG,
		    "user: there is no '%s'; make "
		    "it: useradd --system --no-create-home %s",
		    c->user, c->user);
	if (user->pw_uid == 0)
		return err_set(
		    msg, ERR_CONFIG, "user: root would keep every right");
	c->uid = user->pw_uid;
	c->gid = user->pw_gid;
	return 0;
}

static void read_values(struct agent_config *c)
{
	const struct config *raw = c->raw;
	c->collector = config_text(raw, "collector");
	c->ca_file = config_text(raw, "ca-file");
	c->name = config_text(raw, "name");
	c->state_dir = config_text(raw, "state-dir");
	c->policy = config_text(raw, "policy");
	c->net = config_text(raw, "net");
	c->wish.interface = config_text(raw, "interface");
	c->wish.mark = config_text(raw, "mark");
	c->wish.source_count = config_list(raw, "source", &c->wish.sources);
	c->wish.run_mark_count =
	    config_list(raw, "campaign-marks", &c->wish.run_marks);
	c->feed = config_text(raw, "feed");
	c->interface_count =
	    config_list(raw, "sensor-interfaces", &c->interfaces);
	c->promiscuous = config_flag(raw, "promiscuous");
	c->allow_weak_sandbox = config_flag(raw, "allow-weak-sandbox");
	c->spool_bytes = config_size(raw, "spool-size");
	c->segment_bytes = config_size(raw, "spool-segment");
	c->heartbeat_ns = config_duration_ns(raw, "heartbeat");
	c->sensor_interval_ns = config_duration_ns(raw, "sensor-interval");
	c->sensor_sources = (uint32_t)config_integer(raw, "sensor-sources");
	c->retry_least_ns = config_duration_ns(raw, "retry-least");
	c->retry_most_ns = config_duration_ns(raw, "retry-most");
	c->restart_least_ns = config_duration_ns(raw, "restart-least");
	c->max_runs = (unsigned)config_integer(raw, "max-runs");
	c->crash_budget = (unsigned)config_integer(raw, "crash-budget");
	c->log_level = level_of(config_text(raw, "log-level"));
}

static int check_values(struct agent_config *c, struct errmsg *msg)
{
	const char *spec;
	int err = c->collector ? url_check(c->collector, msg) : 0;
	if (err < 0)
		return err;
	err = read_homes(c, msg);
	if (err < 0)
		return err;
	err = read_user(c, msg);
	if (err < 0)
		return err;
	err = choice_allowed_read(&c->allowed, c->raw, msg);
	if (err < 0)
		return err;
	const struct net_ops *net = net_find(c->net, &spec, msg);
	char *joined;
	if (net && net->advance && choice_allowed_any(&c->allowed))
		return err_set(msg, ERR_CONFIG,
		    "campaign-interfaces, -sources and -marks: expected the "
		    "live network, got '%s'",
		    net->name);
	if (net == &net_echo && (c->wish.mark || c->wish.run_mark_count))
		return err_set(msg, ERR_CONFIG,
		    "%s: expected net = \"live\", got \"echo\", which has no "
		    "right to set any",
		    c->wish.mark ? "mark" : "campaign-marks");
	if (!net || net_spec_join(&joined, net, spec, &c->wish, msg) < 0)
		return ERR_CONFIG;
	free(joined);
	if (c->interface_count > SENSOR_INTERFACES_MAX)
		return err_set(msg, ERR_CONFIG,
		    "sensor-interfaces: expected at most %d, got %zu",
		    SENSOR_INTERFACES_MAX, c->interface_count);
	if (c->retry_most_ns < c->retry_least_ns)
		return err_set(
		    msg, ERR_CONFIG, "retry-most: less than retry-least");
	return 0;
}

int agent_config_load(
    struct agent_config *config, const char *path, struct errmsg *msg)
{
	memset(config, 0, sizeof(*config));
	bool asked = strcmp(path, AGENT_CONFIG_DEFAULT) != 0;
	int err = (asked ? config_load : config_load_default)(
	    &config->raw, agent_config_rows, path, msg);
	if (err)
		return err == -ENOENT ? ERR_CONFIG : err;
	read_values(config);
	err = check_values(config, msg);
	if (err) {
		err_prefix(msg, "%.100s", path);
		agent_config_fini(config);
	}
	return err;
}

void agent_config_fini(struct agent_config *config)
{
	config_free(config->raw);
	memset(config, 0, sizeof(*config));
}

/* --- the command line --------------------------------------------------- */

#define CONFIG_ROW                                                         \
	{                                                                  \
		"config", 'c', OPTION_TEXT, "FILE", NULL, 0, 0,            \
		    AGENT_CONFIG_DEFAULT, "read this, sonde-agent.conf(5)" \
	}
#define VERSION_ROW                                                  \
	{                                                            \
		"version", 'V', OPTION_FLAG, NULL, NULL, 0, 0, NULL, \
		    "print the version and exit"                     \
	}
#define END_ROW                                                    \
	{                                                          \
		NULL, 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, NULL \
	}

static const struct option_row command_rows[] = {
	CONFIG_ROW,
	{ "check-config", 'n', OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "only check the config" },
	{ "print-config", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "print every key with its value and exit" },
	VERSION_ROW,
	END_ROW,
};

static const struct option_row enrol_rows[] = {
	CONFIG_ROW,
	{ "collector", 0, OPTION_TEXT, "URL", NULL, 0, 0, NULL,
	    "whose agent this becomes; the config's if absent" },
	{ "token", 0, OPTION_TEXT, "TOKEN", NULL, 0, 0, NULL,
	    "one-time, from `sonde token`" },
	{ "name", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "what people will call it" },
	VERSION_ROW,
	END_ROW,
};

const struct option_table agent_options = {
	.program = "sonde-agent",
	.synopsis = "[-c FILE]",
	.summary = "a vantage point: runs campaigns, catches worm probes, "
		   "ships every record",
	.examples = "sonde-agent enrol --collector https://sonde.example.net "
		    "--token TOKEN\n"
		    "sonde-agent -c /etc/sonde/agent.conf",
	.rows = command_rows,
};

const struct option_table agent_enrol_options = {
	.program = "sonde-agent enrol",
	.synopsis = "--collector URL --token TOKEN [--name NAME] [-c FILE]",
	.summary = "make a key and register it with the collector",
	.examples = "sonde-agent enrol --collector https://sonde.example.net "
		    "--token TOKEN",
	.rows = enrol_rows,
};
