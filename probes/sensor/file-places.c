/* SPDX-License-Identifier: ISC */
/*
 * The file: a magic number, then FILE_PLACES_MOST of {start 16, frames 8, turn
 * 8}, in this machine's order of octets, all in one write.  `turn` grows with
 * each note: the smallest is the oldest.
 */
#include "probes/sensor/file-places.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

#define MAGIC UINT64_C(0x736f6e6465706c31)
#define START_BYTES 128 /* of a capture: its header and the first packet's */

struct file_place {
	uint8_t start[16];
	uint64_t frames, turn;
};

struct places_image {
	uint64_t magic;
	struct file_place places[FILE_PLACES_MOST];
};

struct file_places {
	int fd;
	struct places_image image;
	uint64_t turn;
};

struct file_places *file_places_open(int fd)
{
	struct file_places *p = xcalloc(1, sizeof(*p));
	p->fd = fd;
	if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0 ||
	    read(fd, &p->image, sizeof(p->image)) !=
		(ssize_t)sizeof(p->image) ||
	    p->image.magic != MAGIC)
		memset(&p->image, 0, sizeof(p->image));
	p->image.magic = MAGIC;
	for (size_t i = 0; i < FILE_PLACES_MOST; i++)
		if (p->image.places[i].turn > p->turn)
			p->turn = p->image.places[i].turn;
	return p;
}

void file_places_free(struct file_places *p)
{
	free(p);
}

static size_t read_start(const char *path, uint8_t *to)
{
	struct stat st;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		ssize_t n = read(fd, to, START_BYTES);
		len = n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return len;
}

size_t file_places_find(struct file_places *p, const char *path)
{
	uint8_t octets[START_BYTES], start[sizeof(p->image.places[0].start)];
	size_t len = read_start(path, octets), oldest = 0;
	if (p->fd < 0 || len == 0)
		return 0;
	crypto_generichash(start, sizeof(start), octets, len, NULL, 0);
	for (size_t i = 0; i < FILE_PLACES_MOST; i++) {
		const struct file_place *place = &p->image.places[i];
		if (memcmp(place->start, start, sizeof(start)) == 0)
			return i + 1;
		if (place->turn < p->image.places[oldest].turn)
			oldest = i;
	}
	struct file_place *place = &p->image.places[oldest];
	*place = (struct file_place){ .turn = ++p->turn };
	memcpy(place->start, start, sizeof(start));
	return oldest + 1;
}

uint64_t file_places_frames(const struct file_places *p, size_t place)
{
	return place ? p->image.places[place - 1].frames : 0;
}

void file_places_note(struct file_places *p, size_t place, uint64_t frames)
{
	if (!place)
		return;
	p->image.places[place - 1].frames = frames;
	p->image.places[place - 1].turn = ++p->turn;
}

int file_places_save(struct file_places *p)
{
	if (p->fd < 0)
		return 0;
	if (lseek(p->fd, 0, SEEK_SET) != 0)
		return -errno;
	ssize_t n = write(p->fd, &p->image, sizeof(p->image));
	return n == (ssize_t)sizeof(p->image) ? 0 : n < 0 ? -errno : -EIO;
}
