/* SPDX-License-Identifier: ISC */
/*
 * How far capture files have been read, in a small file of the agent's, so that
 * an agent that starts again does not report their packets again.  A file is
 * known by how it begins (the format's header and its first packet), whatever
 * its name.  What was read and not reported when a process was killed is
 * reported then; a machine that stops without warning may forget the last
 * minute.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FILE_PLACES_MOST 32 /* the one that was noted longest ago goes */

struct file_places;
/* fd: open for reading and writing, borrowed; -1: nothing is kept. */
struct file_places *file_places_open(int fd);
void file_places_free(struct file_places *places);

/* What path is: 0, or the number of a place.  Only of a regular file that has
 * begun; reads it, so before rights are given up. */
size_t file_places_find(struct file_places *places, const char *path);
/* Frames of it that have been reported. */
uint64_t file_places_frames(const struct file_places *places, size_t place);
void file_places_note(
    struct file_places *places, size_t place, uint64_t frames);
/* Writes what was noted; 0 or a negative errno. */
int file_places_save(struct file_places *places);
