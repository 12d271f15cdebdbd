/* SPDX-License-Identifier: ISC */
/*
 * A guardian in its sandbox and a worker that does what standard input says:
 * one probe a line, "DESTINATION KEY=VALUE ...", all of them at once.  Each
 * event is a line on standard output: "NUMBER KIND ...", the number being that
 * of the probe's line from 1.
 *
 * junk=N writes over the octets that an IPv4 address does not use.
 *
 * usage: guardian-drive [-n NET] [-p POLICY] [-r] <LINES
 *   -n NET     live (default) or sim:FILE
 *   -p POLICY  a policy file
 *   -r         as a remote campaign, not as the administrator
 *   -q         only a summary: how many of each kind, and the counters
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/ipc/counters.h"
#include "probes/guardian/guardian.h"
#include "lib/packet/packet.h"
#include "probes/policy/policy-file.h"
#include "probes/sandbox/sandbox.h"
#include "probes/script/guardian-client.h"

static const char *const kinds[] = { "sent", "denied", "failed", "reply",
	"timeout", "expired" };
static const char *const clocks[] = { "unknown", "user", "kernel", "hardware",
	"simulated" };

struct drive {
	struct guardian_client client;
	uint64_t left;      /* probes without their last event */
	uint64_t counts[6]; /* by kind */
	bool quiet;
};

static _Noreturn void die(const char *what, const struct errmsg *msg)
{
	fprintf(stderr, "guardian-drive: %s: %s\n", what, msg->text);
	exit(1);
}

static struct counters *counters; /* the guardian writes, we read */

static _Noreturn void guard(
    int fd, const char *net_text, const char *policy_path, enum policy_who who)
{
	struct errmsg msg = { "" };
	struct sandbox_paths paths = { 0 };
	struct sandbox_report report;
	struct policy policy;
	const char *spec;
	void *ctx;
	const struct net_ops *net = net_find(net_text, &spec, &msg);
	policy_init(&policy);
	if (policy_path && policy_load(&policy, policy_path, &msg) != 0)
		die("policy", &msg);
	if (!net || net->open(&ctx, spec, &msg) != 0)
		die("network", &msg);
	struct guardian *g = guardian_new(net, ctx, &policy);
	guardian_set_counters(g, counters);
	guardian_add_run(g, fd, &(struct guardian_run){ .who = who });
	if (sandbox_enter(SANDBOX_GUARDIAN, &paths, &report, &msg) != 0 &&
	    !getenv("SONDE_WEAK"))
		die("sandbox", &msg);
	guardian_serve(g, -1);
	guardian_free(g);
	policy_fini(&policy);
	exit(0);
}

static bool set_field(
    struct wire_probe *entry, const char *key, const char *value)
{
	struct probe *p = &entry->probe;
	unsigned long n = strtoul(value, NULL, 0);
	struct {
		const char *key;
		void *field;
		size_t size;
	} rows[] = {
		{ "proto", &p->proto, 1 },
		{ "ttl", &p->ttl, 1 },
		{ "tos", &p->tos, 1 },
		{ "flags", &p->tcp_flags, 1 },
		{ "flow", &p->flow_label, 4 },
		{ "ip_id", &p->ip_id, 2 },
		{ "sport", &p->sport, 2 },
		{ "dport", &p->dport, 2 },
		{ "id", &p->icmp_id, 2 },
		{ "seq", &p->icmp_seq, 2 },
		{ "tcp_seq", &p->tcp_seq, 4 },
		{ "tcp_ack", &p->tcp_ack, 4 },
		{ "len", &p->payload_len, 2 },
		{ "sum", &p->checksum, 2 },
	};
	if (strcmp(key, "sum") == 0)
		p->fix_checksum = true;
	if (strcmp(key, "junk") == 0) /* behind an IPv4 address */
		memset(p->dst.bytes + addr_len(&p->dst), (int)n,
		    sizeof(p->dst.bytes) - addr_len(&p->dst));
	else if (strcmp(key, "at_ms") == 0)
		entry->at.ns += (int64_t)n * NS_PER_MS;
	else if (strcmp(key, "wait_ms") == 0)
		entry->until.ns = (int64_t)n * NS_PER_MS;
	else if (strcmp(key, "text") == 0) {
		p->payload = (const uint8_t *)xstrdup(value);
		p->payload_len = (uint16_t)strlen(value);
	} else {
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			if (strcmp(rows[i].key, key) == 0) {
				memcpy(rows[i].field, &n, rows[i].size);
				return true;
			}
		return false;
	}
	return true;
}

/* Defaults: an ICMP echo, now, for half a second. */
static void read_line(struct wire_probe *entry, char *line, struct monotime now)
{
	char *save, *word = strtok_r(line, " \n", &save);
	*entry = (struct wire_probe){ .at = now,
		.until = { 500 * NS_PER_MS },
		.listen_all = 1,
		.probe = {
		    .proto = PACKET_ICMP, .ttl = 64, .icmp_id = 0x50de } };
	if (!word || addr_parse(&entry->probe.dst, word) != 0) {
		fprintf(stderr, "guardian-drive: no address: %s\n",
		    word ? word : "");
		exit(2);
	}
	while ((word = strtok_r(NULL, " \n", &save))) {
		char *value = strchr(word, '=');
		if (value)
			*value++ = '\0';
		if (!value || !set_field(entry, word, value)) {
			fprintf(stderr, "guardian-drive: %s?\n", word);
			exit(2);
		}
	}
	entry->until.ns += entry->at.ns;
}

static void print_reply(const struct wire_event *event, const uint8_t *bytes)
{
	struct packet p;
	char from[ADDR_TEXT_LEN];
	if (packet_decode_ip(&p, bytes, event->bytes_len, event->bytes_len) <
		0 &&
	    p.src.family == 0)
		return;
	printf(" %s proto=%u", addr_text(&p.src, from), p.proto);
	if (p.proto == PACKET_TCP)
		printf(" flags=0x%02x", p.tcp_flags);
	else if (p.proto != PACKET_UDP)
		printf(" type=%u code=%u", p.icmp_type, p.icmp_code);
	printf(" ttl=%u rtt_us=%.1f rx=%s tx=%s replies=%u", p.ttl,
	    (double)event->rtt_ns / 1e3, clocks[event->stamp.clock],
	    clocks[event->tx.clock], event->replies);
}

static void on_event(
    void *arg, const struct wire_event *event, const uint8_t *bytes)
{
	struct drive *d = arg;
	d->counts[event->kind]++;
	if (event->kind == WIRE_DENIED || event->kind == WIRE_FAILED ||
	    event->kind == WIRE_EXPIRED) {
		client_settled(&d->client, 0);
		d->left--;
	}
	if (d->quiet)
		return;
	printf("%" PRIu64 " %s", event->cookie, kinds[event->kind]);
	if (event->kind == WIRE_DENIED)
		printf(" %s", policy_reason_name(event->verdict));
	else if (event->kind == WIRE_FAILED)
		printf(" %s", err_str(event->err));
	else if (event->kind == WIRE_SENT)
		printf(" tx=%s ip_id=%u sum=0x%04x", clocks[event->stamp.clock],
		    event->probe_ip_id, event->probe_checksum);
	else if (event->kind == WIRE_EXPIRED)
		printf(" replies=%u", event->replies);
	else
		print_reply(event, bytes);
	putchar('\n');
}

static void drive(struct drive *d)
{
	struct errmsg msg;
	char line[2048];
	struct monotime never = { INT64_MAX };
	struct monotime now = client_now(&d->client);
	const struct client_events to = { .take = on_event, .arg = d };
	for (uint64_t n = 1; fgets(line, sizeof(line), stdin); n++) {
		struct wire_probe entry;
		read_line(&entry, line, now);
		entry.cookie = n;
		d->left++;
		while (!client_has_room(&d->client, 1500))
			if (client_wait(&d->client, never, NULL, &to, &msg) !=
			    0)
				die("wait", &msg);
		if (client_send(&d->client, &entry, &entry.probe, &msg) != 0)
			die("send", &msg);
	}
	while (d->left > 0)
		if (client_wait(&d->client, never, NULL, &to, &msg) != 0)
			die("wait", &msg);
}

static void print_summary(const struct drive *d)
{
	char name[COUNTERS_NAME_LEN];
	uint64_t value;
	for (int i = 0; i < 6; i++)
		printf("%s %" PRIu64 "\n", kinds[i], d->counts[i]);
	for (size_t i = 0; counters_get(counters, i, name, &value); i++)
		if (value)
			printf("%s %" PRIu64 "\n", name, value);
}

int main(int argc, char **argv)
{
	const char *net = "live", *policy = NULL;
	enum policy_who who = POLICY_LOCAL;
	struct drive d = { 0 };
	for (int c; (c = getopt(argc, argv, "n:p:rq")) != -1;) {
		if (c == 'n')
			net = optarg;
		else if (c == 'p')
			policy = optarg;
		else if (c == 'r')
			who = POLICY_REMOTE;
		else if (c == 'q')
			d.quiet = true;
		else
			return 2;
	}
	int pair[2], status;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		return 1;
	counters = counters_new();
	pid_t child = fork();
	if (child == 0) {
		close(pair[0]);
		guard(pair[1], net, policy, who);
	}
	close(pair[1]);
	struct errmsg msg = { "" };
	if (client_init(&d.client, pair[0], -1, &msg) != 0)
		die("guardian", &msg);
	drive(&d);
	client_fini(&d.client);
	close(pair[0]);
	waitpid(child, &status, 0);
	if (d.quiet)
		print_summary(&d);
	counters_free(counters);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
