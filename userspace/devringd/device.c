// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <devring/checksum.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "log.h"
#include "manager.h"
#include "text.h"
#include "trail.h"

static struct devring_crc_table crc_table;
static bool crc_ready;

static void set_readers(struct device *device, unsigned int readers);
static void ask_readers(struct device *device);

static bool is_sink(const struct device *device)
{
	return device->hw.type == DEVRING_TYPE_SPEAKER;
}

static const struct driver *driver_of(enum devring_type type)
{
	switch (type) {
	case DEVRING_TYPE_CAMERA:
		return &camera_driver;
	case DEVRING_TYPE_MICROPHONE:
		return &microphone_driver;
	default:
		return &speaker_driver;
	}
}

struct device *device_new(struct manager *manager, const struct hardware *hw)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->manager = manager;
	device->hw = *hw;
	device->driver = driver_of(hw->type);
	return device;
}

static void leave(struct device *device);

void device_free(struct device *device)
{
	leave(device);
	sd_event_source_disable_unref(device->timer);
	sd_event_source_disable_unref(device->stall);
	readers_free(&device->who);
	free(device);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *user)
{
	struct device *device = user;

	(void)source;
	(void)usec;
	if (device->phase == DEVICE_LINGERING) {
		device->driver->stop(device);
		device->phase = DEVICE_IDLE;
		trail_note(device, LOG_INFO, "stopped", "nobody reads it: closed");
	} else if (device->phase == DEVICE_WAITING) {
		device->phase = DEVICE_IDLE;
		if (is_sink(device))
			sd_event_source_set_enabled(device->io, SD_EVENT_ON);
		else
			ask_readers(device);
	}
	manager_changed(device->manager);
	return 0;
}

static void arm(struct device *device, uint64_t ms)
{
	sd_event *event = device->manager->event;
	int error;

	if (!device->timer)
		error = sd_event_add_time_relative(event, &device->timer, CLOCK_MONOTONIC,
						   ms * 1000, 1000, on_timer, device);
	else
		error = sd_event_source_set_time_relative(device->timer, ms * 1000);
	if (error >= 0)
		error = sd_event_source_set_enabled(device->timer, SD_EVENT_ONESHOT);
	if (error < 0)
		trail_note(device, LOG_ERR, NULL, "no timer: %s", strerror(-error));
}

static void disarm(struct device *device)
{
	if (device->timer)
		sd_event_source_set_enabled(device->timer, SD_EVENT_OFF);
}

static int tell_state(struct device *device, enum devring_state state, int error)
{
	if (is_sink(device))
		return devring_set_state_fd(devring_reader_fd(device->sink), state, error);
	return devring_producer_set_state(device->producer, state, error);
}

void device_fail(struct device *device, int error)
{
	const struct config *config = device->manager->config;

	device->driver->stop(device);
	if (device->phase == DEVICE_ABSENT)
		return;
	if (!device->retry_ms)
		device->retry_ms = config->retry_ms;
	/* What was pulled out fails a moment before its removal is known: give that one try. */
	if (error == ENODEV && !device->said) {
		manager_doubt(device->manager);
	} else if (device->error != error) {
		device->error = error;
		tell_state(device, DEVRING_STATE_ERROR, error);
		hotplug_state(device->manager->hotplug, device, "error", error);
		manager_health(device->manager, device->name, strerror(error));
		health_counters(device->manager->health)->failures++;
	}
	trail_note(device, device->said ? LOG_DEBUG : LOG_WARNING, "error",
		   "failed (%s); trying again in %u ms, then less often, while it is wanted",
		   strerror(error), device->retry_ms);
	device->said = true;
	device->phase = DEVICE_WAITING;
	if (is_sink(device))
		sd_event_source_set_enabled(device->io, SD_EVENT_OFF);
	arm(device, device->retry_ms);
	device->retry_ms *= 2;
	if (device->retry_ms > config->retry_max_ms)
		device->retry_ms = config->retry_max_ms;
	manager_changed(device->manager);
}

void device_works(struct device *device)
{
	if (!device->retry_ms && !device->error)
		return;
	if (device->error) {
		tell_state(device, DEVRING_STATE_AVAILABLE, 0);
		hotplug_state(device->manager->hotplug, device, "available", 0);
		manager_health(device->manager, device->name, NULL);
		health_counters(device->manager->health)->recoveries++;
	}
	if (device->said)
		trail_note(device, LOG_INFO, "recovered", "works again");
	device->retry_ms = 0;
	device->error = 0;
	device->said = false;
	manager_changed(device->manager);
}

/* Open hardware from which nothing came since the last look: it says that it is well, and is not. */
static int on_stall(sd_event_source *source, uint64_t usec, void *user)
{
	struct device *device = user;

	(void)usec;
	if (device->phase != DEVICE_ACTIVE && device->phase != DEVICE_LINGERING)
		return 0;
	/* Who waits for lossless readers does not stall. */
	if (device->number == device->stall_number && !device->wants_slots) {
		device_fail(device, ETIMEDOUT);
		return 0;
	}
	device->stall_number = device->number;
	sd_event_source_set_time_relative(source, device->config.stall_ms * 1000ull);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void watch_for_stall(struct device *device)
{
	uint64_t usec = device->config.stall_ms * 1000ull;
	int error;

	if (!usec || is_sink(device))
		return;
	device->stall_number = device->number;
	if (!device->stall) {
		error = sd_event_add_time_relative(device->manager->event, &device->stall, CLOCK_MONOTONIC, usec,
						   100000, on_stall, device);
	} else {
		error = sd_event_source_set_time_relative(device->stall, usec);
		if (error >= 0)
			error = sd_event_source_set_enabled(device->stall, SD_EVENT_ONESHOT);
	}
	if (error < 0)
		trail_note(device, LOG_WARNING, NULL, "it will not be seen when it stalls: %s",
			   strerror(-error));
}

static void start(struct device *device)
{
	int error = device->driver->start(device);

	if (error) {
		device_fail(device, -error);
		return;
	}
	device->phase = DEVICE_ACTIVE;
	watch_for_stall(device);
	device_took_slots(device);
}

static void set_readers(struct device *device, unsigned int readers)
{
	device->readers = readers;
	if (device->phase == DEVICE_IDLE && readers) {
		start(device);
	} else if (device->phase == DEVICE_LINGERING && readers) {
		disarm(device);
		device->phase = DEVICE_ACTIVE;
	} else if (device->phase == DEVICE_ACTIVE && !readers) {
		device->phase = DEVICE_LINGERING;
		arm(device, device->config.linger_ms);
	}
	manager_changed(device->manager);
}

/* Somebody else is the producer now, or has ended the device: leave it until the next plug. */
static void lost(struct device *device)
{
	struct devring_device now = { 0 };
	bool gone = devring_query_id(device->manager->control, device->id, &now) == -ENODEV;

	trail_note(device, LOG_WARNING, "lost", gone ?
		   "was unregistered by somebody else; plug it in anew, or restart devringd, to "
		   "have it back" :
		   "was taken over by process %d; plug it in anew, or restart devringd, to have it "
		   "back", now.producer_pid);
	device_unplug(device);
	device->lost = true;
	if (!gone && manager_is_replaced(device->manager)) {
		log_error("another devringd has taken over; ending");
		sd_event_exit(device->manager->event, MANAGER_REPLACED);
	}
}

static void ask_readers(struct device *device)
{
	int readers = devring_producer_readers(device->producer);

	if (readers == -ENODEV) {
		lost(device);
	} else if (readers >= 0) {
		set_readers(device, readers);
		readers_changed(device);
	}
}

void device_took_slots(struct device *device)
{
	if (devring_producer_has_news(device->producer))
		ask_readers(device);
}

void device_want_slots(struct device *device, bool wanted)
{
	if (device->wants_slots == wanted || !device->io)
		return;
	device->wants_slots = wanted;
	sd_event_source_set_io_events(device->io, EPOLLIN | (wanted ? EPOLLOUT : 0));
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *user)
{
	struct device *device = user;

	(void)source;
	(void)fd;
	if (device->wants_slots && revents & EPOLLOUT) {
		int error = device->driver->room(device);

		if (error)
			device_fail(device, -error);
	}
	if (!is_sink(device))
		ask_readers(device);
	else if (device->driver->input(device) == -ENODEV)
		lost(device);
	return 0;
}

static void fill_register(const struct device *device, struct devring_register *reg)
{
	memset(reg, 0, sizeof(*reg));
	reg->type = device->hw.type;
	reg->flags = DEVRING_REG_PERSIST | (is_sink(device) ? DEVRING_REG_SINK : 0);
	/* Sound that waits is lost all the same. */
	if (device->hw.type == DEVRING_TYPE_CAMERA && device->manager->config->lossless_ms) {
		reg->flags |= DEVRING_REG_LOSSLESS;
		reg->deadline_ms = device->manager->config->lossless_ms;
	}
	text_copy(reg->name, sizeof(reg->name), device->name);
	text_copy(reg->label, sizeof(reg->label), device->hw.label);
	text_copy(reg->stable_id, sizeof(reg->stable_id), device->hw.stable_id);
	text_copy(reg->path_id, sizeof(reg->path_id), device->hw.path_id);
}

/* The object around the descriptor that REGISTER or ATTACH gave. */
static int adopt(struct device *device, int fd)
{
	struct devring_reader_options options = { .start = DEVRING_START_NEXT };
	int error;

	if (is_sink(device)) {
		error = device->driver->prepare(device);
		if (!error)
			error = devring_reader_from_fd(&device->sink, fd, &options);
	} else {
		error = devring_producer_from_fd(&device->producer, fd);
	}
	return error;
}

static int listen_to_ring(struct device *device)
{
	int fd = is_sink(device) ? devring_reader_fd(device->sink) :
		 devring_producer_fd(device->producer);

	return sd_event_add_io(device->manager->event, &device->io, fd, EPOLLIN, on_ring, device);
}

int device_plug(struct device *device, const struct hardware *hw)
{
	struct devring_register reg;
	bool attached;
	int fd, error;

	device->hw = *hw;
	fill_register(device, &reg);
	fd = manager_acquire(device->manager, &reg, &attached);
	if (fd < 0)
		return fd;
	device->id = reg.id;
	text_copy(device->name, sizeof(device->name), reg.name);
	device->config = manager_config(device->manager, hw, device->name);
	device->ring_fd = fd;
	error = adopt(device, fd);
	if (error) {
		close(fd);
		return error;
	}
	error = listen_to_ring(device);
	if (error < 0) {
		device_unplug(device);
		return error;
	}
	device->phase = DEVICE_IDLE;
	device->lost = false;
	device->readers = 0;
	device->retry_ms = 0;
	device->error = 0;
	device->said = false;
	trail_device(device, attached ? "online" : "registered", "%s: %s (%s)",
		     attached ? "here again" : "registered", hw->label, hw->node);
	/* The seat may have changed while it was away. */
	device_recheck(device);
	/* Readers may be waiting since before. */
	on_ring(device->io, -1, EPOLLIN, device);
	return 0;
}

static void leave(struct device *device)
{
	device->phase = DEVICE_ABSENT;
	disarm(device);
	device->driver->stop(device);
	device->io = sd_event_source_disable_unref(device->io);
	devring_producer_close(device->producer);
	device->producer = NULL;
	devring_reader_close(device->sink);
	device->sink = NULL;
	device->readers = 0;
}

void device_unplug(struct device *device)
{
	leave(device);
	/* What is not provided cannot be amiss. */
	manager_health(device->manager, device->name, NULL);
}

void device_recheck(struct device *device)
{
	int revoked;

	if (device->phase == DEVICE_ABSENT)
		return;
	if (!is_sink(device))
		readers_look(device, "reader-stopped");
	revoked = devring_revoke_readers(device->ring_fd, DEVRING_REVOKE_RECHECK, 0, 0);
	if (revoked > 0) {
		trail_note(device, LOG_INFO, "rechecked", "%d lost access with their right to it",
			   revoked);
		if (!is_sink(device))
			readers_look(device, "reader-revoked");
	} else if (revoked < 0 && revoked != -ENODEV) {
		trail_note(device, LOG_WARNING, NULL, "cannot end the access of those who lost "
			   "their right to it: %s", strerror(-revoked));
	}
}

void device_reconfigure(struct device *device)
{
	struct config_device new = manager_config(device->manager, &device->hw, device->name);
	bool same = !memcmp(&new, &device->config, sizeof(new));

	device->config = new;
	if (same || is_sink(device))
		return;
	if (device->phase == DEVICE_ACTIVE || device->phase == DEVICE_LINGERING) {
		device->driver->stop(device);
		device->phase = DEVICE_IDLE;
	}
	if (device->phase != DEVICE_WAITING && device->phase != DEVICE_ABSENT)
		set_readers(device, device->readers);
}

int device_set_ring(struct device *device, uint32_t slots, uint32_t slot_size)
{
	uint32_t metadata = device->manager->config->checksum ? sizeof(struct devring_checksum) : 0;
	struct devring_device now;
	int error = devring_query_id(device->manager->control, device->id, &now);

	if (error)
		return error;
	if (now.geometry.generation && now.geometry.slots == slots &&
	    now.geometry.slot_size == slot_size && now.geometry.metadata_size == metadata)
		return 0;
	if (is_sink(device))
		return devring_set_ring_fd(device->ring_fd, slots, slot_size, metadata, NULL);
	error = devring_producer_set_ring(device->producer, slots, slot_size, metadata);
	if (!error)
		devring_producer_drop_old(device->producer);
	return error;
}

int device_set_format(struct device *device, struct devring_format *format)
{
	struct devring_device now;
	int error = devring_query_id(device->manager->control, device->id, &now);

	if (error)
		return error;
	format->generation = now.format.generation;
	if (!memcmp(format, &now.format, sizeof(*format)))
		return 0;
	format->generation = 0;
	if (is_sink(device))
		return devring_set_format_fd(device->ring_fd, format);
	return devring_producer_set_format(device->producer, format);
}

int device_commit(struct device *device, const struct devring_fill *fill,
		  struct devring_commit *commit)
{
	int error;

	if (fill->metadata && fill->metadata_size >= sizeof(struct devring_checksum)) {
		if (!crc_ready)
			devring_crc_init(&crc_table);
		crc_ready = true;
		devring_checksum_put(&crc_table, fill->metadata, fill->data, commit->bytes,
				     device->number);
	}
	error = devring_producer_commit(device->producer, fill, commit);
	if (error)
		return error;
	device->number++;
	device_works(device);
	return 0;
}
