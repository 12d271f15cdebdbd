/* SPDX-License-Identifier: ISC */
/*
 * The interface that an extension object names.  Specification: RFC 5837
 * sections 4.1 to 4.4 (class 2) and RFC 8335 section 2.1 (class 3).
 *
 * C-Type of class 2:
 * | Role  | reserved | ifIndex | IP address | name | MTU |
 *     2         2         1          1         1      1    bits
 *
 * What its bits announce follows in this order: index 4 octets, address
 * (family 2, reserved 2, 4 or 16 octets), name (its length with this octet,
 * then text padded with zeros), MTU 4 octets.
 *
 * Class 3 has one thing, which the C-Type tells: 1 a name, 2 an index, 3 an
 * address (family 2, length 1, reserved 1, octets).
 */
#include "lib/base/reader.h"
#include "lib/packet/interface.h"

enum { CLASS_INTERFACE = 2, CLASS_ECHO = 3 };
enum { HAS_INDEX = 8, HAS_ADDRESS = 4, HAS_NAME = 2, HAS_MTU = 1 };
enum { BY_NAME = 1, BY_INDEX, BY_ADDRESS };
enum { AFI_IPV4 = 1, AFI_IPV6 = 2 };
#define NAME_OBJECT_BYTES 64 /* with its length */

static void read_address(
    struct reader *r, size_t len, struct packet_interface *to)
{
	const uint8_t *bytes = reader_bytes(r, len);
	if (bytes)
		to->address = addr_from_bytes(bytes, len);
}

static void read_family_and_address(
    struct reader *r, struct packet_interface *to)
{
	uint16_t family = reader_be16(r);
	reader_skip(r, 2);
	if (family == AFI_IPV4)
		read_address(r, 4, to);
	else if (family == AFI_IPV6)
		read_address(r, 16, to);
	else
		reader_fail(r, ERR_MALFORMED);
}

/* Of len octets, up to the padding.  Who reads it must not be misled by what
 * is no letter. */
static void read_name(struct reader *r, size_t len, struct packet_interface *to)
{
	const uint8_t *bytes = reader_bytes(r, len);
	size_t n = 0;
	while (bytes && n < len && n < PACKET_INTERFACE_NAME - 1 && bytes[n]) {
		char c = (char)bytes[n];
		if (c < 0x20 || c >= 0x7f)
			c = '?';
		to->name[n++] = c;
	}
	to->name[n] = '\0';
}

static void read_counted_name(struct reader *r, struct packet_interface *to)
{
	size_t len = reader_u8(r);
	if (len < 1 || len > NAME_OBJECT_BYTES) {
		reader_fail(r, ERR_MALFORMED);
		return;
	}
	read_name(r, len - 1, to);
}

static void read_information(
    struct reader *r, uint8_t bits, struct packet_interface *to)
{
	to->role = (enum packet_interface_role)(bits >> 6);
	if (bits & HAS_INDEX) {
		to->has_index = true;
		to->index = reader_be32(r);
	}
	if (bits & HAS_ADDRESS)
		read_family_and_address(r, to);
	if (bits & HAS_NAME)
		read_counted_name(r, to);
	if (bits & HAS_MTU) {
		to->has_mtu = true;
		to->mtu = reader_be32(r);
	}
}

static void read_identification(
    struct reader *r, uint8_t type, struct packet_interface *to)
{
	to->role = PACKET_INTERFACE_ASKED;
	if (type == BY_NAME) {
		read_name(r, reader_left(r), to);
	} else if (type == BY_INDEX) {
		to->has_index = true;
		to->index = reader_be32(r);
	} else if (type == BY_ADDRESS) {
		uint16_t family = reader_be16(r);
		uint8_t len = reader_u8(r);
		reader_skip(r, 1);
		if ((family == AFI_IPV4 && len == 4) ||
		    (family == AFI_IPV6 && len == 16))
			read_address(r, len, to);
		else
			reader_fail(r, ERR_MALFORMED);
	} else {
		reader_fail(r, ERR_UNSUPPORTED);
	}
}

int packet_interface(
    const struct packet_extension *object, struct packet_interface *to)
{
	struct reader r = reader_init(object->data, object->len);
	*to = (struct packet_interface){ .role = PACKET_INTERFACE_INCOMING };
	if (object->class_num == CLASS_INTERFACE)
		read_information(&r, object->c_type, to);
	else if (object->class_num == CLASS_ECHO)
		read_identification(&r, object->c_type, to);
	else
		return ERR_NOT_FOUND;
	return r.err;
}

const char *packet_interface_role_name(enum packet_interface_role role)
{
	static const char *const names[] = { "incoming", "sub-ip", "outgoing",
		"next-hop", "asked-for" };
	return names[role];
}
