/* SPDX-License-Identifier: ISC */
/*
 * Records between structs and bytes.  The checks walk the schema's own
 * description, so a field that is added to record.proto is checked (and
 * shown) without a line here; only the meaning of its octets is stated below.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "lib/base/arena.h"
#include "lib/record/record-read.h"
#include "lib/record/record-schema.h"
#include "lib/record/record-texts.h"
#include "lib/base/xalloc.h"

/* What one record may take once unpacked: empty sub-messages of two bytes
 * become structs of hundreds. */
enum { UNPACKED_MAX_BYTES = 8 << 20 };
/* Room for a record of at most so many is made without asking for its size. */
enum { PACKED_UNASKED_BYTES = 8 << 10 };

/* Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, no more than
 * U+10FFFF. */
static bool utf8_valid(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	while (*p) {
		static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
		size_t more = *p < 0x80   ? 0
		    : (*p & 0xe0) == 0xc0 ? 1
		    : (*p & 0xf0) == 0xe0 ? 2
		    : (*p & 0xf8) == 0xf0 ? 3
					  : SIZE_MAX;
		if (more == SIZE_MAX)
			return false;
		uint32_t c = more ? *p & (0x3fu >> more) : *p;
		for (size_t i = 1; i <= more; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i] & 0x3fu);
		}
		if (c < least[more] || c > 0x10ffff ||
		    (c >= 0xd800 && c <= 0xdfff))
			return false;
		p += more + 1;
	}
	return true;
}

static int octets_check(const ProtobufCMessageDescriptor *message,
    const ProtobufCFieldDescriptor *field, size_t len, struct errmsg *msg)
{
	if (len == 0 || len == 16) /* right for all, and most are */
		return 0;
	switch (record_octets_of(message, field)) {
	case RECORD_OCTETS_PLAIN: return 0;
	case RECORD_OCTETS_ADDRESS:
		if (len == 4)
			return 0;
		return err_set(msg, ERR_MALFORMED,
		    "%s: an address, expected 4 or 16 bytes, got %zu",
		    field->name, len);
	case RECORD_OCTETS_ID:
		return err_set(msg, ERR_MALFORMED,
		    "%s: expected 16 bytes, got %zu", field->name, len);
	}
	BUG("octets");
}

/* What a field takes at most, packed: a tag (numbers below 2^14) and a number,
 * or the length of octets that follow. */
enum { TAG_MOST = 3, NUMBER_MOST = 10, FIELD_MOST = TAG_MOST + NUMBER_MOST };

static int message_check(
    const ProtobufCMessage *message, size_t *most, struct errmsg *msg);

/* Adds to *most what the value takes at most, packed. */
static int value_check(const ProtobufCMessage *message,
    const ProtobufCFieldDescriptor *field, const void *at, size_t *most,
    struct errmsg *msg)
{
	int err = 0;
	*most += FIELD_MOST;
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		if (!utf8_valid(*(char *const *)at))
			return err_set(
			    msg, ERR_MALFORMED, "%s: not UTF-8", field->name);
		*most += strlen(*(char *const *)at);
	}
	if (field->type == PROTOBUF_C_TYPE_ENUM &&
	    !protobuf_c_enum_descriptor_get_value(
		field->descriptor, *(const int *)at))
		return err_set(msg, ERR_MALFORMED, "%s: no such value, got %d",
		    field->name, *(const int *)at);
	if (field->type == PROTOBUF_C_TYPE_BYTES) {
		size_t len = ((const ProtobufCBinaryData *)at)->len;
		*most += len;
		err = octets_check(message->descriptor, field, len, msg);
	}
	if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		err = message_check(*(ProtobufCMessage *const *)at, most, msg);
		if (err)
			err_prefix(msg, "%s", field->name);
	}
	return err;
}

/* A single number has nothing to check. */
static bool is_plain(const ProtobufCFieldDescriptor *field)
{
	return field->label != PROTOBUF_C_LABEL_REPEATED &&
	    field->type != PROTOBUF_C_TYPE_STRING &&
	    field->type != PROTOBUF_C_TYPE_ENUM &&
	    field->type != PROTOBUF_C_TYPE_BYTES &&
	    field->type != PROTOBUF_C_TYPE_MESSAGE;
}

static int message_check(
    const ProtobufCMessage *message, size_t *most, struct errmsg *msg)
{
	const ProtobufCMessageDescriptor *d = message->descriptor;
	for (unsigned i = 0; i < message->n_unknown_fields; i++)
		*most += FIELD_MOST + message->unknown_fields[i].len;
	for (unsigned f = 0; f < d->n_fields; f++) {
		const ProtobufCFieldDescriptor *field = &d->fields[f];
		if (is_plain(field)) {
			*most += FIELD_MOST;
			continue;
		}
		size_t count = record_field_count(message, field);
		if (count > RECORD_MAX_REPLIES)
			return err_set(msg, ERR_LIMIT,
			    "%s: expected at most %d, got %zu", field->name,
			    RECORD_MAX_REPLIES, count);
		for (size_t i = 0; i < count; i++) {
			int err = value_check(message, field,
			    record_field_at(message, field, i), most, msg);
			if (err)
				return err;
		}
	}
	return 0;
}

static int record_check(
    const Sonde__Record *record, size_t *most, struct errmsg *msg)
{
	if (!record_kind_of(record->body_case))
		return err_set(msg, ERR_UNSUPPORTED,
		    "body: none, or of a kind that is not known here");
	int err = message_check(&record->base, most, msg);
	if (err)
		err_prefix(msg, "record");
	return err;
}

int record_pack(const Sonde__Record *record, struct buf *to, struct errmsg *msg)
{
	size_t most = 0;
	int err = record_check(record, &most, msg);
	if (err)
		return err;
	/* Asking for the very size takes as long as packing. */
	if (most > PACKED_UNASKED_BYTES) {
		most = sonde__record__get_packed_size(record);
		if (most > RECORD_MAX_BYTES)
			return err_set(msg, ERR_LIMIT,
			    "record: expected at most %d bytes, got %zu",
			    RECORD_MAX_BYTES, most);
	}
	to->len += sonde__record__pack(record, buf_room(to, most));
	return 0;
}

struct budget {
	size_t left;
	bool spent;          /* there was not enough */
	struct arena *arena; /* NULL: pieces are freed one by one */
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *budget = data;
	if (size > budget->left) {
		budget->spent = true;
		return NULL;
	}
	budget->left -= size;
	return budget->arena ? arena_alloc(budget->arena, size) : xmalloc(size);
}

static void budget_free(void *data, void *p)
{
	const struct budget *budget = data;
	if (!budget->arena)
		free(p);
}

int record_unpack_in(struct arena *arena, Sonde__Record **record,
    const uint8_t *bytes, size_t len, struct errmsg *msg)
{
	*record = NULL;
	if (len > RECORD_MAX_BYTES)
		return err_set(msg, ERR_LIMIT,
		    "record: expected at most %d bytes, got %zu",
		    RECORD_MAX_BYTES, len);
	if (arena && (*record = record_read(arena, bytes, len)))
		return ERR_OK;
	struct budget budget = { .left = UNPACKED_MAX_BYTES, .arena = arena };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &budget };
	Sonde__Record *r = sonde__record__unpack(&allocator, len, bytes);
	if (!r && budget.spent)
		return err_set(msg, ERR_LIMIT,
		    "record: %zu bytes that unpack to more than %d", len,
		    UNPACKED_MAX_BYTES);
	if (!r)
		return err_set(msg, ERR_MALFORMED,
		    "record: %zu bytes that do not unpack", len);
	int err =
	    record_texts_check(&sonde__record__descriptor, bytes, len, msg);
	if (err < 0)
		goto out;
	size_t most = 0;
	err = record_check(r, &most, msg);
	if (err < 0)
		goto out;
	*record = r;
	return ERR_OK;
out:
	if (!arena)
		record_free(r);
	return err;
}

int record_unpack(Sonde__Record **record, const uint8_t *bytes, size_t len,
    struct errmsg *msg)
{
	return record_unpack_in(NULL, record, bytes, len, msg);
}

void record_free(Sonde__Record *record)
{
	if (record)
		sonde__record__free_unpacked(record, NULL);
}

uint64_t record_gap_count(const Sonde__Gap *gap)
{
	uint64_t sum = gap->unnumbered;
	bool over = false;
	if (gap->from_seq > 0 && gap->from_seq <= gap->to_seq)
		over = __builtin_add_overflow(
		    sum, gap->to_seq - gap->from_seq + 1, &sum);
	for (size_t i = 1; i < gap->n_more && !over; i += 2)
		over = __builtin_add_overflow(sum, gap->more[i], &sum);
	return over ? UINT64_MAX : sum;
}

/* The state of the clock is of interest by the second, and asking costs more
 * than the rest of a stamp.  An error bound is a second older than it says,
 * which the kernel's own frequency tolerance of 500 parts in a million
 * (MAXFREQ) makes 500 us at most. */
#define CLOCK_STATE_NS NS_PER_S
#define CLOCK_DRIFT_NS 500000

struct clock_view {
	int64_t asked_ns; /* monotonic; 0: never */
	Sonde__ClockState state;
	uint64_t error_ns;
};

static void ask_clock(struct clock_view *view, int64_t now_ns)
{
	struct timex now = { .modes = 0 };
	int state = adjtimex(&now);
	*view = (struct clock_view){ .asked_ns = now_ns };
	if (state < 0)
		return;
	view->state = state == TIME_ERROR || now.status & STA_UNSYNC
	    ? SONDE__CLOCK_STATE__CLOCK_STATE_UNSYNCHRONISED
	    : SONDE__CLOCK_STATE__CLOCK_STATE_SYNCHRONISED;
	if (now.maxerror > 0)
		view->error_ns =
		    (uint64_t)now.maxerror * NS_PER_US + CLOCK_DRIFT_NS;
}

void record_stamp(Sonde__Record *record)
{
	static _Thread_local struct clock_view view;
	record->mono_ns = monotime_now().ns;
	record->wall_ns = walltime_now().ns;
	if (view.asked_ns == 0 ||
	    record->mono_ns - view.asked_ns >= CLOCK_STATE_NS)
		ask_clock(&view, record->mono_ns);
	record->clock_state = view.state;
	record->clock_error_ns = view.error_ns;
}
