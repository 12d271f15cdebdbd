/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-campaigns.h"

#include "collector/registry/registry-private.h"

int registry_campaign_add(struct registry *registry,
    const struct registry_campaign *campaign, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "INSERT INTO campaigns (campaign, script, targets, options,"
	    " selectors, every_s, until_ns, created_ns)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    "bttttiii", campaign->id, sizeof(campaign->id), campaign->script,
	    campaign->targets, campaign->options, campaign->on,
	    campaign->every_s, campaign->until_ns, campaign->created_ns);
}

int registry_campaign_stop(struct registry *registry, const uint8_t id[16],
    int64_t stopped_ns, struct errmsg *msg)
{
	int err = db_run(&registry->db, msg,
	    "UPDATE campaigns SET stopped_ns ="
	    " iif(stopped_ns = 0, ?2, stopped_ns) WHERE campaign = ?1",
	    "bi", id, (size_t)16, stopped_ns);
	if (err < 0)
		return err;
	return db_changes(&registry->db) == 0
	    ? err_set(msg, ERR_NOT_FOUND, "campaign: no such one")
	    : ERR_OK;
}

int registry_read_campaigns(struct registry_reader *reader,
    const uint8_t id[16], int64_t below_row, uint32_t limit,
    registry_campaign_fn *fn, void *ctx)
{
	sqlite3_stmt *row = db_query(&reader->db,
	    "SELECT id, campaign, script, targets, options, selectors,"
	    " every_s, until_ns, created_ns, stopped_ns FROM campaigns"
	    " WHERE (?1 IS NULL OR campaign = ?1) AND (?2 = 0 OR id < ?2)"
	    " ORDER BY id DESC LIMIT ?3",
	    "bii", id, (size_t)16, below_row,
	    limit ? (int64_t)limit : INT64_MAX);
	int err;
	while ((err = registry_next(reader, row)) == 1) {
		struct registry_campaign campaign = {
			.row = sqlite3_column_int64(row, 0),
			.script = db_column_text(row, 2),
			.targets = db_column_text(row, 3),
			.options = db_column_text(row, 4),
			.on = db_column_text(row, 5),
			.every_s = sqlite3_column_int64(row, 6),
			.until_ns = sqlite3_column_int64(row, 7),
			.created_ns = sqlite3_column_int64(row, 8),
			.stopped_ns = sqlite3_column_int64(row, 9),
		};
		db_column_copy(row, 1, campaign.id, sizeof(campaign.id));
		if ((err = fn(ctx, &campaign)) != 0)
			break;
	}
	db_reset(row);
	return err;
}

int registry_read_revision(struct registry_reader *reader, uint64_t *revision)
{
	int64_t value;
	int err = db_integer(&reader->db, &value, 0,
	    "SELECT value FROM meta WHERE key = 'revision'", "");
	if (err < 0)
		return db_error(&reader->db, &reader->msg);
	*revision = (uint64_t)value;
	return ERR_OK;
}
