/* SPDX-License-Identifier: ISC */
/* Parameters of warts objects, each behind its flag. */
#include "lib/base/clock.h"
#include "lib/formats/warts-params.h"

struct buf *warts_param(struct warts_params *p, unsigned number)
{
	p->flags[(number - 1) / 7] |= (uint8_t)(1u << (number - 1) % 7);
	return &p->body;
}

void warts_u8(struct warts_params *p, unsigned number, uint32_t value)
{
	buf_u8(warts_param(p, number), (uint8_t)(value < 255 ? value : 255));
}

void warts_u16(struct warts_params *p, unsigned number, uint32_t value)
{
	buf_be16(
	    warts_param(p, number), (uint16_t)(value < 65535 ? value : 65535));
}

void warts_u32(struct warts_params *p, unsigned number, uint32_t value)
{
	buf_be32(warts_param(p, number), value);
}

void warts_time(struct warts_params *p, unsigned number, int64_t wall_ns)
{
	struct buf *b = warts_param(p, number);
	buf_be32(b, (uint32_t)(wall_ns / NS_PER_S));
	buf_be32(b, (uint32_t)(wall_ns % NS_PER_S / NS_PER_US));
}

void warts_address(
    struct warts_params *p, unsigned number, const ProtobufCBinaryData *address)
{
	if (address->len == 0)
		return;
	struct buf *b = warts_param(p, number);
	buf_u8(b, (uint8_t)address->len);
	buf_u8(b, address->len == 16 ? 2 : 1);
	buf_bytes(b, address->data, address->len);
}

void warts_source(struct warts_params *p, unsigned number,
    const ProtobufCBinaryData *address, size_t len)
{
	uint8_t zero[16] = { 0 };
	ProtobufCBinaryData nowhere = { len, zero };
	warts_address(p, number, address->len == len ? address : &nowhere);
}

void warts_rtt(struct warts_params *p, unsigned number, uint64_t ns)
{
	uint64_t us = (ns + NS_PER_US / 2) / NS_PER_US;
	buf_be32(warts_param(p, number),
	    us < UINT32_MAX ? (uint32_t)us : UINT32_MAX);
}

void warts_end(struct warts_params *p, struct buf *to)
{
	int last = WARTS_FLAG_OCTETS - 1;
	while (last > 0 && p->flags[last] == 0)
		last--;
	for (int i = 0; i <= last; i++)
		buf_u8(to, (uint8_t)(p->flags[i] | (i < last ? 0x80 : 0)));
	if (p->flags[last]) {
		buf_be16(to, (uint16_t)p->body.len);
		buf_bytes(to, p->body.data, p->body.len);
	}
	buf_fini(&p->body);
}
