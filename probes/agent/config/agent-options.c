/* SPDX-License-Identifier: ISC */
#include "probes/agent/config/agent-options.h"
#include "probes/agent/config/agent-config.h"

#define CONFIG                                                             \
	{                                                                  \
		"config", 'c', OPTION_TEXT, "FILE", NULL, 0, 0,            \
		    AGENT_CONFIG_DEFAULT, "read this, sonde-agent.conf(5)" \
	}
#define VERSION                                                      \
	{                                                            \
		"version", 'V', OPTION_FLAG, NULL, NULL, 0, 0, NULL, \
		    "say the version and end"                        \
	}
#define END                                                        \
	{                                                          \
		NULL, 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, NULL \
	}

static const struct option_row rows[] = {
	CONFIG,
	{ "check-config", 'n', OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "only check the config" },
	{ "print-config", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL,
	    "print every key with its value and end" },
	VERSION,
	END,
};

static const struct option_row enrol_rows[] = {
	CONFIG,
	{ "collector", 0, OPTION_TEXT, "URL", NULL, 0, 0, NULL,
	    "whose agent this becomes; the config's if absent" },
	{ "token", 0, OPTION_TEXT, "TOKEN", NULL, 0, 0, NULL,
	    "one-time, from `sonde token`" },
	{ "name", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "what people will call it" },
	VERSION,
	END,
};

const struct option_table agent_options = {
	.program = "sonde-agent",
	.synopsis = "[-c FILE]",
	.summary = "a vantage point: runs campaigns, catches worm probes, "
		   "ships every record",
	.examples = "sonde-agent enrol --collector https://sonde.example.net "
		    "--token TOKEN\n"
		    "sonde-agent -c /etc/sonde/agent.conf",
	.rows = rows,
};

const struct option_table agent_enrol_options = {
	.program = "sonde-agent enrol",
	.synopsis = "--collector URL --token TOKEN [--name NAME] [-c FILE]",
	.summary = "make a key and tell the collector",
	.examples = "sonde-agent enrol --collector https://sonde.example.net "
		    "--token TOKEN",
	.rows = enrol_rows,
};
