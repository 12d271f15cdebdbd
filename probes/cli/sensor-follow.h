/* SPDX-License-Identifier: ISC */
/*
 * Watches capture files that are written and rotated, for a reader that may
 * open nothing: a file that took another's name, one that was emptied, and the
 * next one of `tcpdump -C` are opened here and handed over.
 */
#pragma once

#include <stddef.h>

#include "probes/sensor/capture.h"

#define FOLLOW_LOOK_MS 200

struct sensor_follow;
/* The captures are borrowed. */
struct sensor_follow *sensor_follow_new(
    struct capture *const *captures, size_t count);
void sensor_follow_free(struct sensor_follow *follow);
/* Hands over what is there since the last look, as struct replay_successor
 * with a descriptor.  What cannot be opened or handed over now is tried again
 * the next time. */
void sensor_follow_look(struct sensor_follow *follow, int socket_fd);
