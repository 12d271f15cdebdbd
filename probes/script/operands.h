/* SPDX-License-Identifier: ISC */
/* A script's operands, one after the other, however many there are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "lib/base/err.h"

/* How many octets a datagram of operands may have, each with its NUL. */
#define OPERAND_DATAGRAM_BYTES 8192

struct host;

struct host_operands {
	const char *const *words; /* those of the arguments, borrowed */
	size_t word_count;
	int fd; /* the others come by datagrams; -1: there are none */
	uint8_t *message;
	size_t len, at; /* of the datagram that is being read */
	uint64_t read;  /* so many have left this structure */
	uint64_t taken; /* so many the iterator has given */
	bool ended, wanted;
};

/* Waits for the first one.  False: there is none. */
bool operands_wait_first(struct host *host);
/* Somebody was told to wait for the next one, and it is there. */
bool operands_arrived(struct host *host);
/* Waits for the next one a while, or until a signal. */
void operands_wait(struct host *host);

/* Pushes args.operands. */
void operands_push(lua_State *L);
/* sonde.operand(): the next one; or nil and "wait" or "end". */
int api_operand(lua_State *L);
