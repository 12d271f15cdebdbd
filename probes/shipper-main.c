/* SPDX-License-Identifier: ISC */
/* sonde-shipper: what sonde-agent starts when TLS is needed. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "probes/agent/shipper/shipper.h"

static int post(const struct shipper_start *start)
{
	static struct shipper_answer answer;
	shipper_post(start, &answer);
	return send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(answer);
}

int main(void)
{
	static struct shipper_start start;
	struct errmsg msg;
	mallopt(M_ARENA_MAX, 1);
	int err = shipper_receive(&start, &msg);
	if (err) {
		fprintf(stderr, "sonde-shipper: %s\n", msg.text);
		return err_exit_code(err);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != start.parent)
		return 0; /* it died before it could take us along */
	log_init("shipper", (enum log_level)start.log_level);
	int code =
	    start.job == SHIPPER_POST ? post(&start) : shipper_main(&start);
	explicit_bzero(&start, sizeof(start));
	return code;
}
