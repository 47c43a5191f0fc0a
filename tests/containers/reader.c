// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader NAME: reads the PUBLIC device NAME with OPEN.  reader /SOCKET: reads with a descriptor that comes through it.
 * Says "reading ID" when some frames were good, and goes on until the access ends: that must be seen everywhere.
 */
#include "contained.h"

#include <sys/un.h>
#include <devring/checksum.h>

#define ENOUGH	5

static struct devring_crc_table table;
static struct devring_geometry geometry;
static const unsigned char *ring, *header;

static void die(const char *what, long error)
{
	printf("wrong: %s: %s\n", what, error < 0 ? strerror(-error) : "");
	exit(1);
}

static void expect(int condition, const char *what)
{
	if (!condition)
		die(what, 0);
}

static int receive(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = -1, s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char data, control[CMSG_SPACE(sizeof(fd))];
	struct iovec part = { &data, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				  .msg_controllen = sizeof(control) };

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(s, (void *)&address, sizeof(address)))
		die(path, -errno);
	if (recvmsg(s, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		die("no descriptor comes", -errno);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static uint64_t my_id(int fd)
{
	struct devring_reader readers[DEVRING_READERS_MAX];
	int n = list_readers(fd, readers, DEVRING_READERS_MAX);

	for (int i = 0; i < n; i++)
		if (readers[i].flags & DEVRING_READER_IS_SELF)
			return readers[i].id;
	die("READERS lacks this reader", n);
	return 0;
}

static void use_frame(const struct devring_frame *f)
{
	struct devring_checksum sum;

	expect(ring && f->generation == geometry.generation, "a frame of a ring that was not told");
	memcpy(&sum, ring + (f->metadata_offset - geometry.ring_offset), sizeof(sum));
	expect(sum.magic == DEVRING_CHECKSUM_MAGIC, "no checksum");
	expect(sum.crc == devring_crc32(&table, ring + (f->offset - geometry.ring_offset), f->bytes), "checksum");
}

/* Polls and reads until the access ends; the errno with which it does. */
static int read_on(struct stream *s)
{
	unsigned int frames = 0;
	union record r;
	int kind;

	for (;;) {
		kind = next(s, &r);
		if (kind == -EAGAIN) {
			if (ready_within(s->fd, POLLIN, -1) & POLLNVAL)
				die("poll", -EBADF);
		} else if (kind == DEVRING_RECORD_GENERATION) {
			geometry = r.generation.geometry;
			ring = map_of(s->fd, geometry.ring_offset, geometry.ring_bytes, PROT_READ);
			expect(ring != MAP_FAILED, "map");
		} else if (kind == DEVRING_RECORD_FRAME) {
			use_frame(&r.frame);
			if (++frames == ENOUGH)
				printf("reading %llu\n", (unsigned long long)my_id(s->fd));
		} else if (kind != DEVRING_RECORD_STATE) {
			expect(frames >= ENOUGH, "it ends too early");
			return kind;
		}
	}
}

/* A descriptor whose access has ended. */
static void check_end(int fd)
{
	struct devring_device d;
	uint64_t until = now_ns(CLOCK_MONOTONIC) + WAIT_MS * 1000000ULL;
	unsigned char byte;

	expect(ready(fd, POLLIN) == (POLLHUP | POLLERR), "poll() of an ended access is POLLHUP | POLLERR");
	/* Calls fail first; maps are empty when who revokes is told so, which is a moment later. */
	while (!all_bytes(ring, geometry.ring_bytes, 0) && now_ns(CLOCK_MONOTONIC) < until)
		nap();
	expect(all_bytes(ring, geometry.ring_bytes, 0), "its map reads as zeros");
	expect(all_bytes(header, PAGE, 0), "and so does the header");
	expect(rc(pread(fd, &byte, 1, geometry.slots_offset)) == -ENODEV, "pread() is ENODEV");
	expect(query(fd, 0, &d) == -ENODEV, "QUERY is ENODEV");
	expect(map_errno(fd, 0, PAGE, PROT_READ, MAP_SHARED) == -ENODEV, "mmap() is ENODEV");
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct stream s;
	int error;

	setlinebuf(stdout);
	devring_crc_init(&table);
	s = stream_of(*what == '/' ? receive(what) : open_public(control_open(O_RDONLY), what), DEVRING_RECORD_MAX);
	if (s.fd < 0)
		die(what, s.fd);
	fcntl(s.fd, F_SETFL, O_NONBLOCK);
	header = map_of(s.fd, 0, PAGE, PROT_READ);
	expect(header != MAP_FAILED && ((struct devring_header *)header)->magic == DEVRING_MAGIC, "the header");
	error = read_on(&s);
	printf("ended with errno %d\n", -error);
	check_end(s.fd);
	printf("all is as it should be\n");
	return error != -ENODEV;
}
