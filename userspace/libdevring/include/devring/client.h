/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdevring: read, feed and follow the devices of /dev/devring.
 *
 * <linux/devring.h> is the contract with the kernel; this library saves its users the loops around
 * it: finding a device by what people call it, mapping each new generation of a ring, going on
 * after an unplug or a restart of the producer, and decoding records.
 *
 *	struct devring_reader_file	reads a device (or is the registrant of a sink)
 *	struct devring_producer		fills a device (or writes into a sink)
 *	struct devring_watch		follows what changes, for all devices
 *	int control			a descriptor of /dev/devring, for the calls without state
 *
 * Results: functions that can fail return a negative errno; the errno variable itself means nothing
 * after them.  Time-outs are milliseconds: -1 waits for ever, 0 does not wait.
 *
 * Threads: there is no global state.  Functions on descriptors and on plain structs ("any thread")
 * can be called by any thread at any time.  Functions on an object ("one thread at a time") must
 * not run at once on the same object, but may on different ones, even of the same device.
 *
 * Memory: objects are allocated by the functions that open them and freed by those that close them;
 * nothing else allocates.  Fork: do not use an object in both parent and child.
 *
 * A struct that the caller fills begins as zeros ({ 0 }); zero means the default in each member.
 */
#ifndef DEVRING_CLIENT_H
#define DEVRING_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/devring.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DEVRING_CONTROL_PATH	"/dev/devring"
#define DEVRING_LINKS_PATH	"/dev/devrings"
#define DEVRING_NODE_SIZE	32		/* "/dev/devring" and any minor */
#define DEVRING_TEXT_SIZE	128		/* enough for each devring_*_to_text() */

/*
 * ---- Names of numbers (any thread) ----
 */

/** devring_version() - the version of this library, such as "0.1.0" */
const char *devring_version(void);

/**
 * devring_type_name() - "camera", "microphone", "screen", ...; NULL for a number that is no type
 * devring_type_from_name() - the type of that name, or -EINVAL
 */
const char *devring_type_name(uint32_t type);
int devring_type_from_name(const char *name);

/**
 * devring_state_name() - "offline", "available", "error", "removed"; NULL for a number that is no
 *			  state
 * devring_state_from_name() - the state of that name, or -EINVAL
 */
const char *devring_state_name(uint32_t state);
int devring_state_from_name(const char *name);

/**
 * devring_flags_to_text() - DEVRING_REG_* as "persist,public", "" for none, numbers for unknown
 *			     bits
 * devring_flags_from_text() - the reverse; 0, or -EINVAL and *@flags unchanged
 * devring_frame_flags_to_text() - DEVRING_FRAME_* as "key,discontinuity"
 * devring_changed_to_text() - DEVRING_CHANGED_* as "added,state,format,generation,in-use,producer"
 * @buf: where to write, always NUL-terminated and cut at @size
 *
 * The to_text functions return @buf.
 */
char *devring_flags_to_text(uint32_t flags, char *buf, size_t size);
int devring_flags_from_text(const char *text, uint32_t *flags);
char *devring_frame_flags_to_text(uint32_t flags, char *buf, size_t size);
char *devring_changed_to_text(uint32_t changed, char *buf, size_t size);

/**
 * devring_fourcc_to_text() - the four characters, without trailing spaces; @buf has 5 bytes or more
 * devring_fourcc_from_text() - V4L2_PIX_FMT_* of one to four characters, 0 if @text is something
 *				else
 */
char *devring_fourcc_to_text(uint32_t fourcc, char *buf);
uint32_t devring_fourcc_from_text(const char *text);

/**
 * devring_sample_name() - "S16_LE" and so on for a SNDRV_PCM_FORMAT_*; NULL if the library does not
 *			   know it
 * devring_sample_from_name() - SNDRV_PCM_FORMAT_* of that name, or -EINVAL
 * devring_sample_bytes() - bytes of one sample of one channel, 0 if the library does not know the
 *			    format
 */
const char *devring_sample_name(uint32_t sample_format);
int devring_sample_from_name(const char *name);
unsigned int devring_sample_bytes(uint32_t sample_format);

/**
 * devring_format_to_text() - a format for people: "YUYV 640x480 30 fps", "S16_LE 48000 Hz 2 ch",
 *			      "-" for none
 *
 * Texts that the format carries are cleaned: what is not printable ASCII becomes '?'.  Returns
 * @buf.
 */
char *devring_format_to_text(const struct devring_format *format, char *buf, size_t size);

/**
 * devring_video_layout() - fill planes, stride and plane_offset from fourcc, width and height
 * @video: fourcc, width and height are set; strides that are not 0 are kept if they are large
 *	   enough
 *
 * Knows the common uncompressed formats without padding between planes.  Returns the bytes of one
 * picture, 0 for a compressed format that the library knows (MJPG, JPEG, H264, HEVC, VP80, VP90),
 * -EINVAL for any other, and -EOVERFLOW for a picture beyond DEVRING_SLOT_SIZE_MAX.
 */
int devring_video_layout(struct devring_video_format *video);

/*
 * ---- Calls that need no object (any thread) ----
 */

/**
 * devring_control_open() - open /dev/devring, close-on-exec
 * @flags: O_RDONLY to list, query and open PUBLIC devices, O_RDWR to register as well; also
 *	   O_NONBLOCK
 *
 * Returns the descriptor.  Errors: those of open(2); ENOENT or ENODEV says that the module is not
 * loaded.
 */
int devring_control_open(int flags);

/** devring_get_info() - features, limits and totals of the module (INFO) */
int devring_get_info(int control, struct devring_info *info);

/**
 * devring_query_id() - look at one device
 * devring_query_fd() - look at the device that @fd, any file of a device, belongs to
 *
 * Errors: ENODEV.
 */
int devring_query_id(int control, uint64_t id, struct devring_device *device);
int devring_query_fd(int fd, struct devring_device *device);

/**
 * devring_next_device() - iterate over all devices in order of their ids
 * @device: in: its id is where to go on, 0 for the first; out: the next device
 *
 * Returns 1 with a device, 0 after the last.
 *
 *	struct devring_device device = { 0 };
 *	while (devring_next_device(control, &device) > 0)
 *		...
 */
int devring_next_device(int control, struct devring_device *device);

/**
 * devring_find() - find a device by what people call it
 * @spec: one of, tried in this order:
 *	"/dev/devring5"			the node of that minor
 *	"/dev/devrings/NAME"		also by-id/ID and by-path/ID under it
 *	"@first-camera"			the first device of a type: AVAILABLE ones before others
 *	"front-door"			its link name, so "u1000-mine" for another user's device
 *	"mine"				the name of a device that the caller's own user registered
 *	"046d-0825-1A2B3C"		its stable id
 *	"pci-0000:00:14.0-usb-0:2:1.0"	its path id
 *	"17"				its numeric id
 *
 * What a registrant without privilege claims (type, stable id, path id) never wins over what a
 * privileged one claims, and a stranger's plain name never matches: that is what the u<uid>- prefix
 * is for.
 *
 * Errors: ENODEV (no such device), EINVAL (empty, or "@..." with an unknown type).
 */
int devring_find(int control, const char *spec, struct devring_device *device);

/**
 * devring_node() - the path of a device's node, "/dev/devringN"; @buf has DEVRING_NODE_SIZE bytes
 *		    or more
 */
char *devring_node(uint32_t minor, char *buf, size_t size);

/**
 * devring_open_device() - open a device's node, or for a PUBLIC one without node or right to it, by
 *			   OPEN
 * @control: control node, to look up and for OPEN; -1: open it for this call
 * @spec: as devring_find().  A path elsewhere, beginning with '/', is opened as it is.
 * @flags: O_RDONLY to read, O_RDWR to produce into a sink; O_NONBLOCK
 *
 * Makes sure that the node still is the device that was found, since minors are reused.  Close-on-exec.
 * Returns the descriptor.  Errors: those of devring_find() and open(2); EUSERS (limit of readers),
 * EBUSY (the sink has a producer).
 */
int devring_open_device(int control, const char *spec, int flags);

/**
 * devring_register_device() - REGISTER; returns the producer's descriptor (for a sink its reader's)
 * @reg: size is set by the library; id and minor are filled in
 * devring_unregister_device() - UNREGISTER
 * devring_attach_device() - ATTACH with DEVRING_ATTACH_* flags; returns a descriptor as
 *			     devring_register_device()
 *
 * Errors: as in <linux/devring.h>.
 */
int devring_register_device(int control, struct devring_register *reg);
int devring_unregister_device(int control, uint64_t id);
int devring_attach_device(int control, uint64_t id, uint32_t flags);

/**
 * devring_set_ring_fd(), devring_set_format_fd(), devring_set_state_fd() - the set-up calls on a
 * descriptor
 *
 * For a sink's registrant, whose object is a reader's; producers use devring_producer_set_ring()
 * and so on.
 * @geometry: where to write the new geometry, or NULL
 * @format: its generation is ignored, and filled in
 */
int devring_set_ring_fd(int fd, uint32_t slots, uint32_t slot_size, uint32_t metadata_size,
			struct devring_geometry *geometry);
int devring_set_format_fd(int fd, struct devring_format *format);
int devring_set_state_fd(int fd, uint32_t state, int error);

/**
 * devring_get_readers() - who reads (READERS)
 * @fd: any file of the device
 * @readers: where to write
 * @room: elements of @readers; DEVRING_READERS_MAX are always enough
 *
 * Returns how many were written.
 */
int devring_get_readers(int fd, struct devring_reader *readers, unsigned int room);

/**
 * devring_revoke_readers() - take access away (REVOKE)
 * @what: enum devring_revoke_what
 * @uid: with DEVRING_REVOKE_UID, else 0
 * @reader: with DEVRING_REVOKE_READER, else 0
 *
 * Returns how many were revoked.  Errors: EPERM, ENOENT (no such reader), ENODEV, EOPNOTSUPP.
 */
int devring_revoke_readers(int fd, uint32_t what, uint32_t uid, uint64_t reader);

/**
 * devring_grant_reader() - a reader to hand on, to whom has no right of his own (GRANT)
 * @fd: a reader that was opened, as devring_reader_fd() tells; what was granted cannot grant
 * @expires_ns: when it ends, CLOCK_BOOTTIME; 0: not before @fd
 *
 * Ends, as if it were revoked, at its time, and at the latest with the last descriptor of @fd.  Pass
 * it over a UNIX socket (SCM_RIGHTS) or leave it to a child; devring_reader_from_fd() reads it.
 * Close-on-exec.  Returns the descriptor.  Errors: EACCES (a producer's, a sink's or a granted
 * file), EBADF (not open for reading), ETIME (the time is over), ENODEV, and limits as
 * devring_open_device().
 */
int devring_grant_reader(int fd, uint64_t expires_ns);

/*
 * ---- Following changes ----
 */

/** struct devring_watch - a listener on the control node */
struct devring_watch;

/**
 * devring_watch_open() - begin to listen; the devices that exist come first, each with
 *			  DEVRING_CHANGED_ADDED
 * devring_watch_close() - end it; NULL is allowed
 * devring_watch_fd() - to poll for POLLIN.  When it is readable call devring_watch_next() until
 *			-EAGAIN, since the object may have more records than one.
 */
int devring_watch_open(struct devring_watch **watch);
void devring_watch_close(struct devring_watch *watch);
int devring_watch_fd(const struct devring_watch *watch);

/**
 * devring_watch_next() - the next change (one thread at a time)
 * @change: filled in; what an older kernel did not send is zero
 *
 * Returns the kind of record:
 *	DEVRING_RECORD_CHANGE	change->device is as it is now; change->changed says what is new
 *	DEVRING_RECORD_REMOVED	it is gone
 *	DEVRING_RECORD_RESYNC	this listener fell too far behind: forget all devices; those that
 *				exist follow, each with DEVRING_CHANGED_ADDED
 * Errors: EAGAIN (nothing within @timeout_ms), EINTR, ENODEV.
 */
int devring_watch_next(struct devring_watch *watch, struct devring_change *change, int timeout_ms);

/*
 * ---- Reading ----
 */

/**
 * struct devring_reader_file - one reader: an open file with a cursor, and the rings it has mapped
 */
struct devring_reader_file;

/**
 * struct devring_view - a frame, in place
 * @data: the payload, in the ring itself
 * @metadata: the slot's metadata, in the ring itself; NULL if the ring has none
 * @bytes: length of the payload
 * @metadata_size: length of the metadata
 * @frame: the record that came with it: sequence, times, flags, lost, format_generation
 *
 * The frame stands still until the reader has called for as many newer ones as it has holds (one by
 * default: until the next call of devring_reader_next()), or has released it.  After that the
 * pointers are not to be used.  A hold that the kernel had to break is told by
 * DEVRING_RECORD_F_HOLD_BROKEN in frame.rec.flags of the next frame.
 */
struct devring_view {
	const void *data;
	const void *metadata;
	size_t bytes;
	size_t metadata_size;
	struct devring_frame frame;
};

/**
 * enum devring_event - what devring_reader_next() returns
 * @DEVRING_EVENT_END: the device was removed and all its frames were read; so it stays
 * @DEVRING_EVENT_FRAME: a frame is in the view
 * @DEVRING_EVENT_STATE: state or error changed: devring_reader_state()
 * @DEVRING_EVENT_FORMAT: frames from now on have another format: devring_reader_format().  Told
 *			  before the first frame too.
 * @DEVRING_EVENT_GENERATION: the ring was replaced (a new producer, another size)
 */
enum devring_event {
	DEVRING_EVENT_END		= 0,
	DEVRING_EVENT_FRAME		= 1,
	DEVRING_EVENT_STATE		= 2,
	DEVRING_EVENT_FORMAT		= 4,
	DEVRING_EVENT_GENERATION	= 8,
};

/* struct devring_reader_options.holds: nothing is held; use devring_reader_intact() afterwards. */
#define DEVRING_NO_HOLDS	0xffffffffU

/**
 * struct devring_reader_options - how to read
 * @flags: DEVRING_READER_LATEST, DEVRING_READER_PARTIAL and those of later kernels
 * @start: enum devring_start; 0: the newest frame there is, else the next
 * @sequence: with DEVRING_START_SEQUENCE
 * @holds: frames that stand still at once; 0: one.  DEVRING_NO_HOLDS: none
 * @events: DEVRING_EVENT_STATE | _FORMAT | _GENERATION to be told of; frames and the end always
 *	    are.  What is not asked for is handled without a word.
 */
struct devring_reader_options {
	uint32_t flags;
	uint32_t start;
	uint64_t sequence;
	uint32_t holds;
	uint32_t events;
};

/** struct devring_counters - what a reader got and did not get, since it was opened */
struct devring_counters {
	uint64_t delivered;	/* frames that devring_reader_next() returned */
	uint64_t lost;		/* committed in between, and not got */
	uint64_t lost_before;	/* the source said that it lost these itself */
	uint64_t holds_broken;	/* frames that came with DEVRING_RECORD_F_HOLD_BROKEN */
	uint64_t generations;	/* rings seen */
};

/**
 * devring_reader_open() - open a device for reading
 * @reader: out
 * @spec: as devring_open_device()
 * @options: NULL for the defaults
 *
 * Opening does not start a camera; the first devring_reader_next() does.
 * Errors: those of devring_open_device(), SET_READER, and ENOMEM.
 */
int devring_reader_open(struct devring_reader_file **reader, const char *spec,
			const struct devring_reader_options *options);

/**
 * devring_reader_from_fd() - the same for a descriptor that is open already
 * @fd: from open(2), OPEN, a socket, or for a sink from REGISTER or ATTACH.  It belongs to the
 *	reader when this succeeds, and stays the caller's when it fails.
 */
int devring_reader_from_fd(struct devring_reader_file **reader, int fd,
			   const struct devring_reader_options *options);

/** devring_reader_close() - close it: unmaps all frames; NULL is allowed */
void devring_reader_close(struct devring_reader_file *reader);

/**
 * devring_reader_fd() - to poll for POLLIN; call devring_reader_next() with time-out 0 until
 *			 -EAGAIN when it is readable.  Do not read(2) it.
 */
int devring_reader_fd(const struct devring_reader_file *reader);

/**
 * devring_reader_next() - the next frame, or news (one thread at a time)
 * @view: filled in with DEVRING_EVENT_FRAME
 * @timeout_ms: -1 takes one system call a frame, others at most two
 *
 * Unplugging, replugging and restarts of the producer happen to the same reader: it maps new rings
 * itself, and keeps old ones mapped while frames in them are still the caller's.
 *
 * Returns enum devring_event.  Errors: EAGAIN (nothing within @timeout_ms), EINTR (a signal),
 * ENODEV (revoked), ENOMEM (no address space to map the ring; call again to try again).
 */
int devring_reader_next(struct devring_reader_file *reader, struct devring_view *view,
			int timeout_ms);

/**
 * devring_reader_latest() - as devring_reader_next(), but skips to the newest frame (one thread at
 *			     a time)
 *
 * Frames that are skipped count as lost.  Never returns the same frame twice.  Calls of the two
 * functions can be mixed; each change between them costs one more system call.
 */
int devring_reader_latest(struct devring_reader_file *reader, struct devring_view *view,
			  int timeout_ms);

/**
 * devring_reader_release() - end the hold of a frame early, so that its slot is free sooner
 *
 * Errors: ENOENT (not held any more).
 */
int devring_reader_release(struct devring_reader_file *reader, uint64_t sequence);

/**
 * devring_reader_intact() - is this frame still where its index entry says?  No system call (one
 *			     thread at a time)
 *
 * For readers without holds: after use, false says that what was read may be torn.  A frame that is
 * held stands still even when its index entry has long been given to a later frame;
 * devring_reader_release() tells by ENOENT whether its hold was broken.
 */
bool devring_reader_intact(const struct devring_reader_file *reader,
			   const struct devring_view *view);

/**
 * devring_reader_device() - what the device is now (QUERY)
 * devring_reader_format() - the format in force; asks the kernel only when it may have changed.
 *			     Compare format.generation with frame.format_generation where frames of
 *			     two formats can be near.
 * devring_reader_state() - enum devring_state as last told by devring_reader_next(); *@error,
 *			    unless NULL, gets a positive errno or 0.  0 before it was told.
 * devring_reader_geometry() - the ring as last told; generation 0: none yet
 * devring_reader_counters() - counters since the reader was opened
 *
 * One thread at a time.
 */
int devring_reader_device(struct devring_reader_file *reader, struct devring_device *device);
int devring_reader_format(struct devring_reader_file *reader, struct devring_format *format);
uint32_t devring_reader_state(const struct devring_reader_file *reader, int *error);
void devring_reader_geometry(const struct devring_reader_file *reader,
			     struct devring_geometry *geometry);
void devring_reader_counters(const struct devring_reader_file *reader,
			     struct devring_counters *counters);

/**
 * devring_sample_begin() - the newest frame there is, without a system call (one thread at a time)
 * @view: filled in; of view.frame the sequence, generation, slot, bytes, flags, times, trace_id,
 *	  format_generation and lost_before.  The same frame is returned again until there is a
 *	  newer one.
 *
 * The frame is not held: look at it, or copy it, then ask devring_sample_end() whether it stood
 * still. The first call, and the first one after the ring was replaced, maps the ring: that is a
 * system call, and makes the caller count as a reader, so that the camera starts.
 *
 * Returns 0.  Errors: EAGAIN (no frame, or it was just replaced: try again later), ENODEV
 * (revoked), ENOMEM.
 *
 * devring_sample_end() - 0: what was read since devring_sample_begin() is sound.  -ESTALE: it may
 * be torn, throw it away.
 */
int devring_sample_begin(struct devring_reader_file *reader, struct devring_view *view);
int devring_sample_end(const struct devring_reader_file *reader, const struct devring_view *view);

/*
 * ---- Producing ----
 */

/** struct devring_producer - the producer of a device, and the ring it has mapped */
struct devring_producer;

/**
 * struct devring_fill - a slot to fill
 * @data: where to write the payload: page-aligned, writable, may be handed to V4L2 as USERPTR; NULL
 *	  after devring_producer_unmap()
 * @metadata: where to write metadata, 64-byte aligned; NULL if the ring has none, or no map
 * @size: bytes that fit
 * @metadata_size: bytes of metadata that fit
 * @generation: as in the record
 * @slot: as in the record
 */
struct devring_fill {
	void *data;
	void *metadata;
	size_t size;
	size_t metadata_size;
	uint32_t generation;
	uint32_t slot;
};

/**
 * devring_producer_register() - make a device and be its producer
 * @reg: size is set by the library; id and minor are filled in.  Without DEVRING_REG_SINK: a sink's
 *	 registrant is its reader, see devring_register_device() and devring_reader_from_fd().
 * devring_producer_attach() - be the next producer of a persistent device
 * @spec: as devring_find(): its stable id is what does not change
 * @flags: DEVRING_ATTACH_TAKEOVER or 0
 * devring_producer_open() - be the producer of a sink (speaker): opens its node for writing
 * devring_producer_from_fd() - be the producer by a descriptor that is open already; it belongs to
 *				the producer when this succeeds
 * devring_producer_close() - close; NULL is allowed.  A device that is not persistent goes with it.
 *
 * Errors: those of REGISTER, ATTACH, devring_find() and devring_open_device(), and ENOMEM.
 */
int devring_producer_register(struct devring_producer **producer, struct devring_register *reg);
int devring_producer_attach(struct devring_producer **producer, const char *spec, uint32_t flags);
int devring_producer_open(struct devring_producer **producer, const char *spec);
int devring_producer_from_fd(struct devring_producer **producer, int fd);
void devring_producer_close(struct devring_producer *producer);

/**
 * devring_producer_fd() - to poll: POLLIN when readers came or went, POLLOUT when a slot can be
 *			   taken
 * devring_producer_id() - the device's id
 */
int devring_producer_fd(const struct devring_producer *producer);
uint64_t devring_producer_id(const struct devring_producer *producer);

/**
 * devring_producer_set_ring() - allocate slots and map them (one thread at a time)
 * @metadata_size: bytes of metadata a slot, may be 0
 *
 * Slots taken before are gone: committing them is ESTALE.  Their memory stays mapped, until the
 * ring is replaced once more or devring_producer_drop_old() is called, so that a driver that was
 * given them can finish. The producer of a sink cannot: its registrant decides.
 *
 * devring_producer_drop_old() - unmap the ring before this one
 */
int devring_producer_set_ring(struct devring_producer *producer, uint32_t slots, uint32_t slot_size,
			      uint32_t metadata_size);
void devring_producer_drop_old(struct devring_producer *producer);

/**
 * devring_producer_unmap() - whether the slots are filled by drivers alone, without a map of them here
 *			      (one thread at a time)
 *
 * Takes the maps away at once, and again when @unmapped is false: with the next ring, or slot.
 *
 * devring_producer_export() - a slot as a dma-buf (EXPORT), for drivers that import it to fill it
 *
 * Returns a descriptor (close-on-exec), which belongs to the caller, or a negative errno: ESTALE (the
 * generation is gone), EINVAL, ENODEV, EMFILE, ENFILE, ENOMEM, EOPNOTSUPP (the kernel has no dma-bufs).
 */
void devring_producer_unmap(struct devring_producer *producer, bool unmapped);
int devring_producer_export(struct devring_producer *producer, uint32_t generation, uint32_t slot);

/**
 * devring_producer_set_format() - say what frames are from now on; format.generation is filled in
 * devring_producer_set_state() - DEVRING_STATE_ERROR with a positive errno, or
 *				  DEVRING_STATE_AVAILABLE with 0
 * devring_producer_device() - what the device is now: a sink's producer finds format and geometry
 *			       there
 * devring_producer_geometry() - the ring that is mapped; generation 0: none yet
 * devring_producer_header() - the device's header page, read-only, valid until close; NULL if it
 *			       could not be mapped
 */
int devring_producer_set_format(struct devring_producer *producer, struct devring_format *format);
int devring_producer_set_state(struct devring_producer *producer, uint32_t state, int error);
int devring_producer_device(struct devring_producer *producer, struct devring_device *device);
void devring_producer_geometry(const struct devring_producer *producer,
			       struct devring_geometry *geometry);
const struct devring_header *devring_producer_header(const struct devring_producer *producer);

/**
 * devring_producer_slot_address() - where slot number @slot of the ring in force is mapped, NULL if
 *				     there is none
 *
 * To hand all slots to a driver before any is taken.  Write only into slots that are taken.
 */
void *devring_producer_slot_address(const struct devring_producer *producer, uint32_t slot);

/**
 * devring_producer_take() - take a slot to fill (one thread at a time; never waits)
 *
 * Maps the ring first when it is new.  Several slots may be out at once, at most slots - 2.
 * Returns 0.  Errors: ENOBUFS (no slot free: poll for POLLOUT), ENXIO (no ring), ENODEV (taken
 * over, removed or revoked), ESTALE (the ring was replaced meanwhile: call again), ENOMEM.
 *
 * devring_producer_take_wait() - the same, but waits for a slot, at most @timeout_ms: EAGAIN, EINTR
 */
int devring_producer_take(struct devring_producer *producer, struct devring_fill *fill);
int devring_producer_take_wait(struct devring_producer *producer, struct devring_fill *fill,
			       int timeout_ms);

/**
 * devring_producer_commit() - publish a slot
 * @fill: from devring_producer_take()
 * @commit: bytes, flags, capture_ns (0: now), media_time, trace_id, lost_before; the rest is set by
 *	    the library. With DEVRING_FRAME_PARTIAL the slot stays out for later commits.
 *
 * Errors: ESTALE (the ring was replaced), EINVAL, EBUSY (another frame is partial), ENODEV.
 *
 * devring_producer_commit_many() - publish several slots at once, with one wake-up
 * @commits: each with generation and slot of its devring_fill set as well
 *
 * Returns how many were taken, from the first; an error only if that was none.
 *
 * devring_producer_return() - give a slot back unused
 */
int devring_producer_commit(struct devring_producer *producer, const struct devring_fill *fill,
			    const struct devring_commit *commit);
int devring_producer_commit_many(struct devring_producer *producer, struct devring_commit *commits,
				 unsigned int count);
int devring_producer_return(struct devring_producer *producer, const struct devring_fill *fill);

/**
 * devring_producer_has_news() - did devring_producer_take() read the news that readers came or went?
 *
 * What take() reads the descriptor does not tell again: a program that waits for its POLLIN asks
 * this after it took slots, and then devring_producer_readers().  No system call; true until that.
 */
bool devring_producer_has_news(const struct devring_producer *producer);

/**
 * devring_producer_readers() - how many readers there are: capture while it is not 0 (one thread at
 *				a time)
 *
 * Reads the news if there is any, without waiting; one system call when there is none.  Returns the
 * number of readers.  Errors: ENODEV (taken over, removed or revoked).
 *
 * devring_producer_wait_readers() - wait until the number of readers is other than @than; returns
 *				     it.
 * Errors: EAGAIN (still so after @timeout_ms), EINTR, ENODEV.
 */
int devring_producer_readers(struct devring_producer *producer);
int devring_producer_wait_readers(struct devring_producer *producer, unsigned int than,
				  int timeout_ms);

#ifdef __cplusplus
}
#endif

#endif /* DEVRING_CLIENT_H */
