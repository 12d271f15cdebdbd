/* SPDX-License-Identifier: ISC */
/* agent.conf (man/sonde-agent.conf.5), and what enrolment left in the state
 * folder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/option/config-file.h"
#include "lib/option/option.h"
#include "lib/base/log.h"
#include "lib/https/url.h"
#include "probes/agent/config/campaign-choice.h"
#include "probes/net/net.h"

#define AGENT_CONFIG_DEFAULT SONDE_SYSCONFDIR "/sonde/agent.conf"
#define AGENT_MAX_HOMES 64

extern const struct option_row agent_config_rows[];
/* Of sonde-agent, and of `sonde-agent enrol`. */
extern const struct option_table agent_options, agent_enrol_options;

struct agent_config {
	struct config *raw; /* owned; texts below are borrowed of it */
	const char *collector, *ca_file, *name, *state_dir, *policy, *net,
	    *feed, *user;
	const char *const *interfaces; /* the sensor's */
	size_t interface_count;
	struct net_wish wish; /* of probes */
	struct choice_allowed allowed;
	struct prefix homes[AGENT_MAX_HOMES];
	size_t home_count;
	bool promiscuous, allow_weak_sandbox;
	uint64_t spool_bytes, segment_bytes;
	int64_t heartbeat_ns, sensor_interval_ns, retry_least_ns, retry_most_ns,
	    restart_least_ns;
	uint32_t sensor_sources;
	unsigned max_runs, crash_budget;
	enum log_level log_level;
	uint32_t uid, gid; /* of user; 0: nobody, or not root */
};

/* Reads and checks; everything is checked before anything starts. */
int agent_config_load(
    struct agent_config *config, const char *path, struct errmsg *msg);
void agent_config_fini(struct agent_config *config);

/* Who this agent is: <state_dir>/agent and <state_dir>/agent.key. */
struct agent_identity {
	uint8_t id[16], secret_key[64];
	char name[65], collector[URL_MAX_LEN], generation[65];
};

/* ERR_NOT_FOUND when it was never enrolled.  The key must be readable by its
 * owner only. */
int agent_identity_load(
    struct agent_identity *identity, const char *state_dir, struct errmsg *msg);
/* Writes <state_dir>/agent, synced. */
int agent_identity_save(const struct agent_identity *identity,
    const struct agent_config *config, struct errmsg *msg);

/* The key alone (0600, of the agent's user); -ENOENT when there is none. */
int agent_key_load(
    uint8_t secret_key[static 64], const char *state_dir, struct errmsg *msg);
int agent_key_save(const struct agent_identity *identity,
    const struct agent_config *config, struct errmsg *msg);

/* <state_dir>/spool, made and owned by the agent's user. */
int agent_folders_make(const struct agent_config *config, struct errmsg *msg);
