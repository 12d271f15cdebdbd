/* SPDX-License-Identifier: ISC */
/* From the configuration file's keys to the collector's settings. */
#include "collector/core/config.h"

#include "collector/core/config-check.h"

#define DAY_NS (86400 * NS_PER_S)

const struct collector_config collector_defaults = {
	.series_bin_s = 60,
	.alarm_bin_s = 60,
	.alarm_interval_ns = 5 * NS_PER_S,
	.alarm_warmup_bins = 60,
	.alarm_run_length_bins = 10080,
	.raw_age_ns = 30 * DAY_NS,
	.raw_size_bytes = UINT64_C(10) << 30,
	.minutes_age_ns = 7 * DAY_NS,
	.hours_age_ns = 90 * DAY_NS,
	.days_age_ns = 400 * DAY_NS,
	.late_ns = 90 * NS_PER_S,
	.gone_ns = 900 * NS_PER_S,
	.queue_batches = 256,
	.queue_bytes = 64u << 20,
};

void collector_config_read(
    struct collector_config *to, const struct config *config)
{
	*to = collector_defaults;
	to->state_dir = config_text(config, "state-dir");
	to->admin_token_file = config_text(config, "admin-token-file");
	to->series_bin_s =
	    (uint32_t)(config_duration_ns(config, "series-bin") / NS_PER_S);
	to->alarm_bin_s =
	    (uint32_t)(config_duration_ns(config, "alarm-bin") / NS_PER_S);
	to->alarm_interval_ns = config_duration_ns(config, "alarm-interval");
	to->alarm_settle_ns = config_given(config, "alarm-settle")
	    ? config_duration_ns(config, "alarm-settle")
	    : 0;
	to->alarm_warmup_bins =
	    (uint32_t)config_integer(config, "alarm-warmup-bins");
	to->alarm_run_length_bins =
	    (double)config_integer(config, "alarm-run-length");
	to->raw_age_ns = config_duration_ns(config, "keep-records");
	to->raw_size_bytes = config_size(config, "keep-records-size");
	to->minutes_age_ns = config_duration_ns(config, "keep-minutes");
	to->hours_age_ns = config_duration_ns(config, "keep-hours");
	to->days_age_ns = config_duration_ns(config, "keep-days");
	to->late_ns = config_duration_ns(config, "late-after");
	to->gone_ns = config_duration_ns(config, "gone-after");
	to->queue_batches = (uint32_t)config_integer(config, "queue-batches");
	to->queue_bytes = config_size(config, "queue-size");
	to->database_max_bytes = config_given(config, "database-max-size")
	    ? config_size(config, "database-max-size")
	    : 0;
}

/* The settings keep whole seconds; what they would cut off is an error. */
static int check_whole_seconds(
    const struct config *config, const char *key, struct errmsg *msg)
{
	int64_t ns = config_duration_ns(config, key);
	if (ns % NS_PER_S == 0)
		return ERR_OK;
	err_set(msg, ERR_CONFIG, "%s: expected whole seconds, got %g s", key,
	    (double)ns / (double)NS_PER_S);
	config_blame(config, key, 0, msg);
	return ERR_CONFIG;
}

int collector_config_check(const struct config *config, struct errmsg *msg)
{
	struct collector_config settings;
	const char *key;
	int err = check_whole_seconds(config, "series-bin", msg);
	if (err < 0)
		return err;
	err = check_whole_seconds(config, "alarm-bin", msg);
	if (err < 0)
		return err;
	collector_config_read(&settings, config);
	err = collector_check(&settings, &key, msg);
	if (err < 0)
		config_blame(config, key, 0, msg);
	return err;
}
