/* SPDX-License-Identifier: ISC */
/* The door of the spool: framing, the record's form, and who may produce what.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/buf.h"
#include "lib/base/reader.h"
#include "probes/ipc/record-frame.h"

int producer_next_frame(struct reader *r, const uint8_t **record, size_t *len)
{
	if (r->err == ERR_OK && reader_left(r) == 0)
		return ERR_EOF;
	*len = reader_be32(r);
	if (*len == 0 || *len > RECORD_MAX_BYTES)
		reader_fail(r, ERR_LIMIT);
	*record = reader_bytes(r, *len);
	return r->err;
}

int producer_next_preview(struct reader *r, const uint8_t **record, size_t *len)
{
	struct reader ahead = *r;
	uint32_t word = reader_be32(&ahead);
	if (ahead.err != ERR_OK || !(word & PRODUCER_PREVIEW))
		return ERR_NOT_FOUND;
	*len = word & ~PRODUCER_PREVIEW;
	*record = reader_bytes(&ahead, *len);
	*r = ahead;
	return r->err;
}

static bool run_is_granted(
    const struct producer_grant *grant, const Sonde__Record *record)
{
	if (grant->flags & PRODUCER_FREE)
		return true;
	if (!(grant->flags & PRODUCER_BOUND))
		return record->campaign.len == 0 && record->run == 0;
	return record->campaign.len == sizeof(grant->campaign) &&
	    memcmp(record->campaign.data, grant->campaign,
		sizeof(grant->campaign)) == 0 &&
	    record->run == grant->run;
}

int producer_unpack(const struct producer_grant *grant, const uint8_t *bytes,
    size_t len, Sonde__Record **record, struct errmsg *msg)
{
	Sonde__Record *r;
	*record = NULL;
	int err = record_unpack(&r, bytes, len, msg);
	if (err)
		return err;
	const struct record_kind *kind = record_kind_of(r->body_case);
	if (!(grant->roles & kind->producers))
		err =
		    err_set(msg, ERR_DENIED, "a record of kind %s", kind->name);
	else if (!run_is_granted(grant, r))
		err = err_set(msg, ERR_DENIED, "a record of another run");
	if (err)
		record_free(r);
	else
		*record = r;
	return err;
}

int producer_put(struct buf *frames, const Sonde__Record *record, uint32_t mark,
    struct errmsg *msg)
{
	size_t at = frames->len;
	buf_be32(frames, 0);
	int err = record_pack(record, frames, msg);
	if (err) {
		frames->len = at;
		return err;
	}
	uint32_t word = mark | (uint32_t)(frames->len - at - 4);
	for (size_t i = 0; i < 4; i++)
		frames->data[at + i] = (uint8_t)(word >> (24 - 8 * i));
	return 0;
}

int producer_send(int fd, const Sonde__Record *record, struct errmsg *msg)
{
	struct buf frame = { 0 };
	int err = producer_put(&frame, record, 0, msg);
	if (!err) {
		ssize_t n;
		do
			n = send(fd, frame.data, frame.len, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			err =
			    err_set(msg, -errno, "keeper: %s", strerror(errno));
	}
	buf_fini(&frame);
	return err;
}

static int send_log(int fd, Sonde__Record *record, const Sonde__Log *log)
{
	record->body_case = SONDE__RECORD__BODY_LOG;
	record->log = (Sonde__Log *)log;
	record_stamp(record);
	return producer_send(fd, record, NULL);
}

static Sonde__Log log_of(uint32_t level, const char *process, const char *text)
{
	Sonde__Log log = SONDE__LOG__INIT;
	log.level = level;
	log.process = (char *)process;
	log.text = (char *)text;
	return log;
}

int producer_log(int fd, uint32_t level, const char *process, const char *text)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Log log = log_of(level, process, text);
	return send_log(fd, &record, &log);
}

int producer_log_run(int fd, const uint8_t campaign[static 16], uint64_t run,
    uint32_t level, const char *process, const char *text)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Log log = log_of(level, process, text);
	record.campaign.data = (uint8_t *)campaign;
	record.campaign.len = 16;
	record.run = run;
	return send_log(fd, &record, &log);
}
