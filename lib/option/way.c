/* SPDX-License-Identifier: ISC */
#include "lib/option/way.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* dev_valid_name in net/core/dev.c; a comma separates choices. */
int way_read_device(
    char to[static ADDR_ZONE_LEN], const char *text, struct errmsg *msg)
{
	size_t len = strlen(text);
	if (len == 0 || len >= ADDR_ZONE_LEN ||
	    strpbrk(text, "/:, \t\n\v\f\r") || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return err_set(msg, ERR_USAGE,
		    "expected the name of a device, got '%.80s'", text);
	memcpy(to, text, len + 1);
	return 0;
}

int way_read_source(
    struct addr sources[static 2], const char *text, struct errmsg *msg)
{
	struct addr a;
	if (addr_parse(&a, text) != 0)
		return err_set(msg, ERR_USAGE,
		    "expected an address of the host that probes leave, got "
		    "'%.80s'",
		    text);
	if (sources[a.family == 6].family)
		return err_set(msg, ERR_USAGE,
		    "expected one of IPv4 and one of IPv6, got a second, "
		    "'%.80s'",
		    text);
	sources[a.family == 6] = a;
	return 0;
}

int way_read_mark(uint32_t *mark, const char *text, struct errmsg *msg)
{
	bool hex = strncmp(text, "0x", 2) == 0;
	const char *digits = hex ? text + 2 : text;
	size_t len =
	    strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned long long number = strtoull(digits, NULL, hex ? 16 : 10);
	if (len == 0 || len > 10 || digits[len] || number > UINT32_MAX)
		return err_set(msg, ERR_USAGE,
		    "expected 0 to 0xffffffff, got '%.80s'", text);
	*mark = (uint32_t)number;
	return 0;
}

int way_check_device(const char *device, struct errmsg *msg)
{
	if (strcmp(device, "lo") == 0)
		return err_set(msg, ERR_USAGE,
		    "expected a device that leads to other hosts, got 'lo'");
	return 0;
}

int way_check_mark(uint32_t mark, struct errmsg *msg)
{
	if (mark == 0)
		return err_set(
		    msg, ERR_USAGE, "expected 1 to 0xffffffff, for 0 is none");
	return 0;
}
