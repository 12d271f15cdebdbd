/* SPDX-License-Identifier: ISC */
/*
 * The checks.  Each tries the thing itself, not a sign of it: the sandbox is
 * entered in a child, the socket opened, the collector asked.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/https/http.h"
#include "probes/agent/shipper/shipper-start.h"
#include "probes/cli/doctor-checks.h"
#include "probes/ipc/process.h"
#include "probes/sandbox/sandbox.h"

#define MTU_LEAST 1500
#define CLOCK_ERROR_MOST_US 100000
#define MAX_INTERFACES 64

/* detail by format; the fix, if any, follows a newline in it. */
static void add_result(const struct doctor *d, const char *area,
    const char *what, enum finding_state state, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void add_result(const struct doctor *d, const char *area,
    const char *what, enum finding_state state, const char *format, ...)
{
	struct check_result f = { .area = area, .what = what, .state = state };
	char text[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	char *fix = strchr(text, '\n');
	if (fix) {
		*fix++ = '\0';
		snprintf(f.fix, sizeof(f.fix), "%.255s", fix);
	}
	snprintf(f.detail, sizeof(f.detail), "%.255s", text);
	d->report(d->arg, &f);
}

/* --- sandbox ----------------------------------------------------------- */

/* "reason: sysctl -w KEY=VALUE": the line that mends it stands alone. */
static void add_lack(const struct doctor *d, const char *what, const char *why)
{
	const char *fix = strstr(why, ": sysctl -w ");
	int len = fix ? (int)(fix - why) : (int)strlen(why);
	add_result(d, "sandbox", what, FINDING_LACK, "%.*s%s%s", len, why,
	    fix ? "\n" : "", fix ? fix + 2 : "");
}

static void check_role(const struct doctor *d, enum sandbox_role role)
{
	struct sandbox_report report;
	char what[64];
	const char *name = sandbox_role_name(role);
	if (sandbox_probe(role, &report) != 0) {
		add_result(d, "sandbox", name, FINDING_LACK,
		    "a child could not try it");
		return;
	}
	for (int i = 0; i < SANDBOX_LAYERS; i++) {
		if (!report.wanted[i])
			continue;
		snprintf(what, sizeof(what), "%s: %s", name,
		    sandbox_layer_name((enum sandbox_layer)i));
		if (report.enforced[i])
			add_result(d, "sandbox", what, FINDING_OK, "enforced");
		else
			add_lack(d, what, report.why[i].text);
	}
}

void doctor_check_sandbox(const struct doctor *doctor)
{
	for (int role = 0; role < SANDBOX_ROLES; role++)
		check_role(doctor, (enum sandbox_role)role);
}

/* --- rights ------------------------------------------------------------ */

static void check_socket(
    const struct doctor *d, const char *what, int family, int type)
{
	int protocol = family == AF_PACKET ? 0 : IPPROTO_RAW;
	int fd = socket(family, type, protocol);
	char *program;
	if (fd >= 0) {
		close(fd);
		add_result(d, "rights", what, FINDING_OK, "may be opened");
		return;
	}
	int err = errno;
	if (err == EAFNOSUPPORT) {
		add_result(d, "rights", what, FINDING_WARN,
		    "this kernel has no such family");
		return;
	}
	/* What it is granted, it passes on to its commands. */
	process_find(&program, "sonde", NULL);
	add_result(d, "rights", what, FINDING_LACK,
	    "%s\nsetcap cap_net_raw,cap_net_admin+ep %s", strerror(err),
	    program ? program : "sonde");
	free(program);
}

/* What `sonde ping` falls back on. */
static void check_echo(const struct doctor *d, const char *what)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	if (fd >= 0) {
		close(fd);
		add_result(d, "rights", what, FINDING_OK, "may be opened");
	} else {
		add_result(d, "rights", what, FINDING_WARN,
		    "%s: users without other rights cannot ping\n"
		    "sysctl -w net.ipv4.ping_group_range='0 2147483647'",
		    strerror(errno));
	}
}

void doctor_check_rights(const struct doctor *doctor)
{
	check_socket(doctor, "raw IPv4 socket", AF_INET, SOCK_RAW);
	check_socket(doctor, "raw IPv6 socket", AF_INET6, SOCK_RAW);
	check_socket(doctor, "packet socket", AF_PACKET, SOCK_RAW);
	check_echo(doctor, "ICMP echo socket");
}

/* --- programs ---------------------------------------------------------- */

void doctor_check_programs(const struct doctor *doctor)
{
	struct errmsg msg;
	char *shipper;
	if (!doctor->config)
		return;
	int err = shipper_find(&shipper, &msg);
	add_result(doctor, "program", "sonde-shipper",
	    err ? FINDING_LACK : FINDING_OK, "%s", err ? msg.text : shipper);
	free(shipper);
}

/* --- clock ------------------------------------------------------------- */

void doctor_check_clock(const struct doctor *doctor)
{
	static const char fix[] = "apt install chrony && "
				  "systemctl enable --now chrony";
	struct timex now = { .modes = 0 };
	int state = adjtimex(&now);
	if (state < 0)
		add_result(doctor, "clock", "synchronised", FINDING_WARN,
		    "the kernel does not report it: %s", strerror(errno));
	else if (state == TIME_ERROR || now.status & STA_UNSYNC)
		add_result(doctor, "clock", "synchronised", FINDING_WARN,
		    "no: times of two machines cannot be compared\n%s", fix);
	else if (now.maxerror > CLOCK_ERROR_MOST_US)
		add_result(doctor, "clock", "synchronised", FINDING_WARN,
		    "yes, but it may be off by %ld ms\n%s", now.maxerror / 1000,
		    fix);
	else
		add_result(doctor, "clock", "synchronised", FINDING_OK,
		    "within %ld us", now.maxerror);
}

/* --- interfaces -------------------------------------------------------- */

static bool is_named(const struct agent_config *config, const char *name)
{
	for (size_t i = 0; config && i < config->interface_count; i++)
		if (strcmp(config->interfaces[i], name) == 0)
			return true;
	return false;
}

static void check_interface(
    const struct doctor *d, const char *name, unsigned flags)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	int mtu = fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0
	    ? request.ifr_mtu
	    : 0;
	if (fd >= 0)
		close(fd);
	if (!(flags & IFF_UP))
		add_result(d, "network", name,
		    is_named(d->config, name) ? FINDING_LACK : FINDING_OK,
		    "is down%s%s",
		    is_named(d->config, name) ? "\nip link set up dev " : "",
		    is_named(d->config, name) ? name : "");
	else if (mtu && mtu < MTU_LEAST)
		add_result(d, "network", name, FINDING_WARN,
		    "MTU %d is below %d: larger probes cannot leave", mtu,
		    MTU_LEAST);
	else
		add_result(d, "network", name, FINDING_OK, "up, MTU %d", mtu);
}

void doctor_check_interfaces(const struct doctor *doctor)
{
	struct if_nameindex *list = if_nameindex();
	struct ifaddrs *addresses = NULL, *a;
	getifaddrs(&addresses);
	for (struct if_nameindex *i = list; i && i->if_index; i++) {
		unsigned flags = 0;
		for (a = addresses; a; a = a->ifa_next)
			if (strcmp(a->ifa_name, i->if_name) == 0)
				flags = a->ifa_flags;
		if (!(flags & IFF_LOOPBACK))
			check_interface(doctor, i->if_name, flags);
	}
	if (list)
		if_freenameindex(list);
	freeifaddrs(addresses);
	const struct agent_config *c = doctor->config;
	for (size_t i = 0; c && i < c->interface_count; i++)
		if (strncmp(c->interfaces[i], "file:", 5) != 0 &&
		    strcmp(c->interfaces[i], "any") != 0 &&
		    if_nametoindex(c->interfaces[i]) == 0)
			add_result(doctor, "network", c->interfaces[i],
			    FINDING_LACK,
			    "the sensor's: there is no such "
			    "interface\nip -br link  # then fix "
			    "sensor-interfaces in agent.conf");
}

/* --- disk -------------------------------------------------------------- */

void doctor_check_disk(const struct doctor *doctor)
{
	const struct agent_config *c = doctor->config;
	struct statvfs fs;
	if (!c)
		return;
	if (statvfs(c->state_dir, &fs) != 0) {
		add_result(doctor, "disk", "state-dir", FINDING_LACK,
		    "%.80s: %s\nsonde-agent enrol --collector URL --token "
		    "TOKEN",
		    c->state_dir, strerror(errno));
		return;
	}
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	bool fits = room >= c->spool_bytes;
	add_result(doctor, "disk", "spool", fits ? FINDING_OK : FINDING_LACK,
	    "%llu MiB free below %.80s, spool-size is %llu MiB%s",
	    (unsigned long long)(room >> 20), c->state_dir,
	    (unsigned long long)(c->spool_bytes >> 20),
	    fits ? "" : "\nmake room, or lower spool-size in agent.conf");
	struct agent_identity identity;
	struct errmsg msg = { "" };
	int err = agent_identity_load(&identity, c->state_dir, &msg);
	explicit_bzero(identity.secret_key, sizeof(identity.secret_key));
	if (err)
		add_result(doctor, "disk", "identity", FINDING_LACK,
		    "%s\nsonde-agent enrol --collector URL --token TOKEN",
		    err == ERR_NOT_FOUND ? "not enrolled" : msg.text);
	else
		add_result(doctor, "disk", "identity", FINDING_OK,
		    "%s at %.120s", identity.name, identity.collector);
}

/* --- collector --------------------------------------------------------- */

void doctor_check_collector(const struct doctor *doctor)
{
	struct http_config config = { .url = doctor->collector,
		.ca_file = doctor->ca_file };
	struct http_request get = { .path = "/healthz", .timeout_s = 10 };
	const struct http_answer *answer;
	struct http *http = NULL;
	struct errmsg msg = { "" };
	if (!doctor->collector)
		return;
	int err = http_open(&http, &config, &msg);
	if (!err)
		err = http_exchange(http, &get, &answer, &msg);
	if (err)
		add_result(doctor, "collector", "reachable", FINDING_LACK, "%s",
		    msg.text);
	else if (answer->status != 200)
		add_result(doctor, "collector", "reachable", FINDING_LACK,
		    "it answers %ld to %s/healthz", answer->status,
		    doctor->collector);
	else
		add_result(doctor, "collector", "reachable", FINDING_OK, "%s",
		    doctor->collector);
	http_close(http);
}
