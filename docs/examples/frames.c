/* SPDX-License-Identifier: MIT */
/*
 * frames [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.
 * It goes on when the device is unplugged and comes back.
 *
 * Build: cc -O2 -o frames-c frames.c -ldevring
 */
#include <devring/client.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int list(void)
{
	struct devring_device device = { 0 };
	int control = devring_control_open(O_RDONLY);

	if (control < 0)
		return control;
	while (devring_next_device(control, &device) > 0)
		printf("device %s %s %s\n", device.link, devring_type_name(device.type),
		       devring_state_name(device.state));
	return close(control);
}

static unsigned int sum_of(const struct devring_view *view)
{
	const unsigned char *bytes = view->data;
	unsigned int sum = 0;

	for (size_t i = 0; i < view->bytes; i++)
		sum += bytes[i];
	return sum;
}

static void show(struct devring_reader_file *reader, const struct devring_view *view, int event)
{
	struct devring_geometry ring;

	if (event == DEVRING_EVENT_STATE) {
		printf("state %s\n", devring_state_name(devring_reader_state(reader, NULL)));
	} else if (event == DEVRING_EVENT_GENERATION) {
		devring_reader_geometry(reader, &ring);
		printf("ring %u\n", ring.generation);
	} else if (event == DEVRING_EVENT_FRAME) {
		printf("frame %llu: %zu bytes, %llu lost, sum %u\n",
		       (unsigned long long)view->frame.sequence, view->bytes,
		       (unsigned long long)view->frame.lost, sum_of(view));
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct devring_reader_options options = {
		.events = DEVRING_EVENT_STATE | DEVRING_EVENT_GENERATION,
	};
	uint64_t wanted = argc > 2 ? strtoull(argv[2], NULL, 10) : 60;
	struct devring_reader_file *reader = NULL;
	struct devring_counters counters = { 0 };
	struct devring_view view;
	int ret = list();

	if (!ret && argc < 2)
		return 0;
	if (!ret)
		ret = devring_reader_open(&reader, argv[1], &options);
	while (ret >= 0 && counters.delivered < wanted) {
		ret = devring_reader_next(reader, &view, -1);
		if (ret == DEVRING_EVENT_END)
			break;
		if (ret > 0)
			show(reader, &view, ret);
		devring_reader_counters(reader, &counters);
	}
	devring_reader_close(reader);
	if (ret < 0) {
		fprintf(stderr, "frames: %s\n", strerror(-ret));
		return 1;
	}
	printf("%llu frames, %llu lost\n", (unsigned long long)counters.delivered,
	       (unsigned long long)counters.lost);
	return 0;
}
