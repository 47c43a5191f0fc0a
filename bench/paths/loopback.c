// SPDX-License-Identifier: GPL-2.0-only
/*
 * v4l2loopback, which also gives the frames of one program to several.  A frame is passed by DQBUF and QBUF of
 * buffers that both sides have mapped, without a copy; or by write() and read(), whose copies count by the byte.
 */
#include "measure.h"

#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS	201
#define NODE	"/dev/video0"
#define BUFFERS	4
/* The smallest frame that it takes, of one byte a pixel. */
#define WIDTH	48
#define HEIGHT	32
#define BYTES	(WIDTH * HEIGHT)

static int writer = -1, reader = -1;
static struct v4l2_buffer out, in;
static char frame[BYTES];

static int open_node(enum v4l2_buf_type type)
{
	int fd = must(open(NODE, O_RDWR | O_CLOEXEC), "open of " NODE);
	struct v4l2_format format = { .type = type };

	if (type == V4L2_BUF_TYPE_VIDEO_OUTPUT) {
		format.fmt.pix = (struct v4l2_pix_format){
			.width = WIDTH, .height = HEIGHT, .pixelformat = V4L2_PIX_FMT_GREY,
			.sizeimage = BYTES, .bytesperline = WIDTH, .field = V4L2_FIELD_NONE,
		};
		must(ioctl(fd, VIDIOC_S_FMT, &format), "VIDIOC_S_FMT");
	}
	return fd;
}

/* Maps all buffers, queues those of a reader, and starts. */
static void stream_on(int fd, enum v4l2_buf_type type)
{
	struct v4l2_requestbuffers request = { .count = BUFFERS, .type = type, .memory = V4L2_MEMORY_MMAP };
	struct v4l2_buffer buffer;

	must(ioctl(fd, VIDIOC_REQBUFS, &request), "VIDIOC_REQBUFS");
	for (unsigned int i = 0; i < request.count; i++) {
		buffer = (struct v4l2_buffer){ .type = type, .memory = V4L2_MEMORY_MMAP, .index = i };
		must(ioctl(fd, VIDIOC_QUERYBUF, &buffer), "VIDIOC_QUERYBUF");
		if (mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, fd, buffer.m.offset) == MAP_FAILED)
			must(-1, "mmap of " NODE);
		if (type == V4L2_BUF_TYPE_VIDEO_CAPTURE)
			must(ioctl(fd, VIDIOC_QBUF, &buffer), "VIDIOC_QBUF");
	}
	must(ioctl(fd, VIDIOC_STREAMON, &type), "VIDIOC_STREAMON");
}

static void dequeue(int fd, enum v4l2_buf_type type, struct v4l2_buffer *buffer)
{
	*buffer = (struct v4l2_buffer){ .type = type, .memory = V4L2_MEMORY_MMAP };
	must(ioctl(fd, VIDIOC_DQBUF, buffer), "VIDIOC_DQBUF");
}

static int set_up(unsigned int readers)
{
	(void)readers;
	if (access(NODE, F_OK))
		return 0;
	writer = open_node(V4L2_BUF_TYPE_VIDEO_OUTPUT);
	stream_on(writer, V4L2_BUF_TYPE_VIDEO_OUTPUT);
	return 1;
}

static int set_up_write(unsigned int readers)
{
	(void)readers;
	if (access(NODE, F_OK))
		return 0;
	writer = open_node(V4L2_BUF_TYPE_VIDEO_OUTPUT);
	must(write(writer, frame, BYTES), "write to " NODE);
	return 1;
}

static void tear_down(void)
{
	close(writer);
}

/* A reader that has all the frames there were. */
static void join(unsigned int i)
{
	struct pollfd p = { .events = POLLIN };

	(void)i;
	reader = open_node(V4L2_BUF_TYPE_VIDEO_CAPTURE);
	stream_on(reader, V4L2_BUF_TYPE_VIDEO_CAPTURE);
	for (p.fd = reader; must(poll(&p, 1, 0), "poll") > 0 && p.revents & POLLIN;) {
		dequeue(reader, V4L2_BUF_TYPE_VIDEO_CAPTURE, &in);
		must(ioctl(reader, VIDIOC_QBUF, &in), "VIDIOC_QBUF");
	}
}

static void join_read(unsigned int i)
{
	struct pollfd p = { .events = POLLIN };

	(void)i;
	reader = open_node(V4L2_BUF_TYPE_VIDEO_CAPTURE);
	for (p.fd = reader; must(poll(&p, 1, 0), "poll") > 0 && p.revents & POLLIN;)
		must(read(reader, frame, BYTES), "read of " NODE);
}

static void prepare(void)
{
	dequeue(writer, V4L2_BUF_TYPE_VIDEO_OUTPUT, &out);
	out.bytesused = BYTES;
	out.timestamp = (struct timeval){ 0 };
}

static void queue(unsigned int readers)
{
	(void)readers;
	must(ioctl(writer, VIDIOC_QBUF, &out), "VIDIOC_QBUF");
}

static void write_frame(unsigned int readers)
{
	(void)readers;
	must(write(writer, frame, BYTES), "write to " NODE);
}

static void receive(unsigned int i)
{
	(void)i;
	dequeue(reader, V4L2_BUF_TYPE_VIDEO_CAPTURE, &in);
}

static void receive_poll(unsigned int i)
{
	struct pollfd p = { .fd = reader, .events = POLLIN };

	must(poll(&p, 1, -1), "poll");
	receive(i);
}

static void give_back(void)
{
	must(ioctl(reader, VIDIOC_QBUF, &in), "VIDIOC_QBUF");
}

static void read_frame(unsigned int i)
{
	(void)i;
	must(read(reader, frame, BYTES), "read of " NODE);
}

const struct channel loopback_channels[] = {
	{ "v4l2loopback", set_up, join, prepare, queue, receive, give_back, tear_down },
	{ "v4l2loopback, poll", set_up, join, prepare, queue, receive_poll, give_back, tear_down },
	{ "v4l2loopback, write and read", set_up_write, join_read, NULL, write_frame, read_frame, NULL, tear_down },
	{ }
};

static void measure_calls(void)
{
	static struct samples taken, sent, received, given, ready, not_ready;
	struct pollfd p = { .events = POLLIN };

	set_up(1);
	join(0);
	p.fd = reader;
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&not_ready, must(poll(&p, 1, 0), "poll"));
		COUNT(&taken, prepare());
		COUNT(&sent, queue(0));
		COUNT(&ready, must(poll(&p, 1, 0), "poll"));
		COUNT(&received, receive(0));
		COUNT(&given, give_back());
	}
	close(reader);
	tear_down();
	row("take a slot", "v4l2loopback", 1, &taken);
	row("send, nobody waits", "v4l2loopback", 0, &sent);
	row("receive what is there", "v4l2loopback", 1, &received);
	row("give back", "v4l2loopback", 1, &given);
	row("poll, ready", "v4l2loopback, poll", 1, &ready);
	row("poll, not ready", "v4l2loopback, poll", 1, &not_ready);
}

static void measure_copies(void)
{
	static struct samples sent, received;

	set_up_write(1);
	join_read(0);
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&sent, write_frame(0));
		COUNT(&received, read_frame(0));
	}
	close(reader);
	tear_down();
	row("send, nobody waits", "v4l2loopback, write and read", 0, &sent);
	row("receive what is there", "v4l2loopback, write and read", 1, &received);
}

static void measure_life(void)
{
	static struct samples opened, mapped, touched, closed;
	struct v4l2_buffer buffer = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP };
	struct v4l2_requestbuffers request = { .count = BUFFERS, .type = buffer.type, .memory = V4L2_MEMORY_MMAP };
	char *p;
	int fd;

	set_up(1);
	for (int i = 0; i < ROUNDS; i++) {
		COUNT(&opened, fd = open(NODE, O_RDWR | O_CLOEXEC));
		must(ioctl(fd, VIDIOC_REQBUFS, &request), "VIDIOC_REQBUFS");
		must(ioctl(fd, VIDIOC_QUERYBUF, &buffer), "VIDIOC_QUERYBUF");
		COUNT(&mapped, p = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, fd, buffer.m.offset));
		COUNT(&touched, (void)*(volatile char *)p);
		munmap(p, buffer.length);
		COUNT(&closed, close(fd));
	}
	tear_down();
	row("open", "v4l2loopback", 1, &opened);
	row("mmap", "v4l2loopback", 1, &mapped);
	row("first fault", "v4l2loopback", 1, &touched);
	row("close", "v4l2loopback", 1, &closed);
}

void measure_loopback(void)
{
	if (access(NODE, F_OK))
		return;
	measure_calls();
	measure_copies();
	measure_life();
}
