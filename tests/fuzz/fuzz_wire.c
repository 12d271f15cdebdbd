/* SPDX-License-Identifier: ISC */
/* A worker that says anything: (be16 length, message) until the input ends. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/reader.h"
#include "probes/guardian/guardian-private.h"
#include "probes/policy/policy-file.h"
#include "tests/fuzz/null-net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct policy policy;
	int pair[2];
	uint8_t heard[WIRE_MAX_BYTES];
	null_net.now = 1;
	null_net.len = 0;
	policy_init(&policy);
	struct guardian *g = guardian_new(&null_ops, NULL, &policy);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		return 0;
	guardian_add_run(g, pair[1], &(struct guardian_run){ .who = size & 1 });
	while (reader_left(&r) > 2 && g->session_count > 0) {
		struct reader message = reader_sub(&r, reader_be16(&r));
		send(pair[0], message.pos, reader_left(&message), MSG_NOSIGNAL);
		do
			guardian_step(g, -1);
		while (g->session_count > 0 && g->sessions[0]->waiting);
		while (recv(pair[0], heard, sizeof(heard), MSG_DONTWAIT) > 0)
			;
	}
	close(pair[0]);
	guardian_free(g);
	return 0;
}
