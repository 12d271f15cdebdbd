/* SPDX-License-Identifier: ISC */
/* Records that travel together, through a socket that keeps messages apart. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/reader.h"
#include "lib/base/xalloc.h"
#include "probes/ipc/frame-batch.h"
#include "probes/ipc/record-frame.h"

struct wire {
	int ends[2];
	size_t writes;
	int err; /* what writing fails with */
};

static int to_wire(void *arg, const uint8_t *bytes, size_t len)
{
	struct wire *w = arg;
	w->writes++;
	if (w->err)
		return w->err;
	ssize_t n = send(w->ends[0], bytes, len, MSG_DONTWAIT);
	assert_int_equal(n, len);
	return 0;
}

static int add(struct frame_batch *b, size_t text_len, uint32_t mark)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Log log = SONDE__LOG__INIT;
	char *text = xmalloc(text_len + 1);
	memset(text, 'x', text_len);
	text[text_len] = '\0';
	log.process = (char *)"test";
	log.text = text;
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	record_stamp(&record);
	struct errmsg msg;
	int err = frame_batch_add(b, &record, mark, &msg);
	free(text);
	return err;
}

/* Reads one message; says how many whole frames it holds. */
static size_t read_message(struct wire *w)
{
	static uint8_t bytes[2 * PRODUCER_DATAGRAM_BYTES];
	const uint8_t *record;
	size_t len, frames = 0;
	ssize_t n = recv(w->ends[1], bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0)
		return 0;
	assert_in_range(n, 1, PRODUCER_DATAGRAM_BYTES);
	struct reader r = reader_init(bytes, (size_t)n);
	int err;
	while ((err = producer_next_frame(&r, &record, &len)) == 0) {
		Sonde__Record *got;
		assert_int_equal(record_unpack(&got, record, len, NULL), 0);
		record_free(got);
		frames++;
	}
	assert_int_equal(err, ERR_EOF);
	return frames;
}

static void wire_open(struct wire *w, struct frame_batch *b)
{
	*w = (struct wire){ .writes = 0 };
	*b = (struct frame_batch){ .write = to_wire, .arg = w };
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, w->ends), 0);
}

static void wire_close(struct wire *w, struct frame_batch *b)
{
	frame_batch_fini(b);
	close(w->ends[0]);
	close(w->ends[1]);
}

static void many_records_go_in_one_write(void **state)
{
	(void)state;
	struct frame_batch b;
	struct wire w;
	wire_open(&w, &b);
	for (int i = 0; i < 100; i++)
		assert_int_equal(add(&b, 100, 0), 0);
	assert_int_equal(w.writes, 0);
	assert_int_equal(frame_batch_flush(&b), 0);
	assert_int_equal(w.writes, 1);
	assert_int_equal(read_message(&w), 100);
	assert_int_equal(frame_batch_flush(&b), 0); /* of nothing */
	assert_int_equal(w.writes, 1);
	wire_close(&w, &b);
}

static void a_write_holds_whole_frames_and_has_a_bound(void **state)
{
	(void)state;
	struct frame_batch b;
	struct wire w;
	size_t sent = 0, got = 0;
	wire_open(&w, &b);
	for (size_t i = 0; i < 400; i++, sent++) {
		/* Among them the largest that there can be. */
		size_t len = i % 50 == 49 ? 65000 : i * 37 % 3000;
		assert_int_equal(add(&b, len, 0), 0);
		for (size_t n; (n = read_message(&w)) > 0;)
			got += n;
	}
	assert_int_equal(frame_batch_flush(&b), 0);
	for (size_t n; (n = read_message(&w)) > 0;)
		got += n;
	assert_int_equal(got, sent);
	assert_in_range(w.writes, 10, sent / 4);
	wire_close(&w, &b);
}

static void a_record_that_is_none_leaves_the_batch_as_it_was(void **state)
{
	(void)state;
	struct frame_batch b;
	struct wire w;
	wire_open(&w, &b);
	assert_int_equal(add(&b, 10, 0), 0);
	assert_int_equal(add(&b, RECORD_MAX_BYTES + 1, 0), ERR_LIMIT);
	assert_int_equal(add(&b, 10, 0), 0);
	assert_int_equal(frame_batch_flush(&b), 0);
	assert_int_equal(read_message(&w), 2);
	wire_close(&w, &b);
}

static void a_preview_is_marked(void **state)
{
	(void)state;
	struct frame_batch b;
	struct wire w;
	const uint8_t *record;
	size_t len;
	wire_open(&w, &b);
	assert_int_equal(add(&b, 10, PRODUCER_PREVIEW), 0);
	struct reader r = reader_init(b.bytes.data, b.bytes.len);
	assert_int_equal(producer_next_preview(&r, &record, &len), 0);
	assert_int_equal(reader_left(&r), 0);
	wire_close(&w, &b);
}

static void what_cannot_be_written_is_an_error_and_gone(void **state)
{
	(void)state;
	struct frame_batch b;
	struct wire w;
	wire_open(&w, &b);
	assert_int_equal(add(&b, 60000, 0), 0);
	w.err = -EPIPE;
	assert_int_equal(add(&b, 60000, 0), -EPIPE);
	w.err = 0;
	assert_int_equal(frame_batch_flush(&b), 0);
	assert_int_equal(read_message(&w), 1);
	assert_int_equal(add(&b, 10, 0), 0);
	w.err = -EPIPE;
	assert_int_equal(frame_batch_flush(&b), -EPIPE);
	assert_int_equal(b.bytes.len, 0);
	wire_close(&w, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_records_go_in_one_write),
		cmocka_unit_test(a_write_holds_whole_frames_and_has_a_bound),
		cmocka_unit_test(
		    a_record_that_is_none_leaves_the_batch_as_it_was),
		cmocka_unit_test(a_preview_is_marked),
		cmocka_unit_test(what_cannot_be_written_is_an_error_and_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
