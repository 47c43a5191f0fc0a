/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * devring: devices that many programs read at once.
 *
 * A *device* (a camera, a microphone, ...) is registered on /dev/devring and appears as /dev/devringN.
 * Its one *producer* fills *slots* and commits them as *frames*; every other open file is a *reader* with
 * a cursor of its own.  All data moves by plain system calls:
 *
 *	producer  read()   takes empty slots	  (struct devring_slot) and news (struct devring_readers)
 *		  write()  commits filled slots	  (struct devring_commit, struct devring_return)
 *	reader	  read()   gets frames and news	  (struct devring_frame, _generation, _state)
 *		  mmap()   shows the slots themselves, read-only; pread() copies what a mapping would show
 *	listener  read()   on /dev/devring: what changed, for every device (struct devring_change)
 *	all	  poll()   says when a read() has something
 *
 * ioctls are for set-up alone.  All numbers are in native byte order, all layouts are the same for 32-bit
 * and 64-bit programs, and all times are nanoseconds of CLOCK_MONOTONIC unless a field says otherwise.
 *
 *
 * The file of a device, as mmap() and pread() see it
 * --------------------------------------------------
 *
 *  offset 0			      ring_offset = (generation % 1024) << 34, plus 64 KiB
 *  |				      |
 *  v				      v
 *  +-----------------+		      +--------------------+-----------------+-----------------------------+
 *  | header (1 page) |	   (nothing)  | index		   | metadata	     | slots			   |
 *  | devring_header  |		      | entry 0, 1, 2, ... | of slot 0, 1 .. | slot 0 | slot 1 | slot 2 .. |
 *  +-----------------+		      +--------------------+-----------------+-----------------------------+
 *				      ^			   ^		     ^				   ^
 *				      ring_offset	   metadata_offset   slots_offset		   ring_offset
 *				      |<------------------------- ring_bytes ---------------------------->|  + ring_bytes
 *
 *  region    written by			    producer maps   reader maps
 *  header    the kernel			    read	    read
 *  index     the kernel, at each commit	    read	    read
 *  metadata  the producer			    read, write	    read
 *  slots     the producer, or a DMA engine	    read, write	    read
 *
 * The four regions begin on page boundaries.  From ring_offset on everything belongs to one *generation*: one
 * allocation of slots.  A new ring, and each new producer, makes a new generation with fresh pages at other
 * offsets; maps of the old one then read as zeros, and a new mmap(), pread() or commit of it is ESTALE.
 * The header lives as long as the device.  Sequence numbers run on over generations and producers.
 *
 * Sampling without system calls: load header.head (acquire); the newest frame is s = head - 1; its entry is
 * number s % entries.  Load entry.word (acquire); it must be DEVRING_WORD(s).  Copy the entry, check slot and
 * bytes against the geometry, use the slot, then issue an acquire fence and load entry.word again: if it is
 * no longer DEVRING_WORD(s), what was read may be torn: throw it away.
 */
#ifndef _UAPI_LINUX_DEVRING_H
#define _UAPI_LINUX_DEVRING_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DEVRING_ABI_VERSION	1
#define DEVRING_MAGIC		0x676e7264	/* "drng" */

/* Sizes of texts, with the terminating NUL. */
#define DEVRING_NAME_SIZE	64
#define DEVRING_LINK_SIZE	80
#define DEVRING_LABEL_SIZE	64
#define DEVRING_ID_SIZE		128

/* Limits of the format; INFO tells those in force. */
#define DEVRING_SLOTS_MIN	3
#define DEVRING_SLOTS_MAX	4096
#define DEVRING_SLOT_SIZE_MAX	(1U << 30)
#define DEVRING_METADATA_MAX	65536
#define DEVRING_HOLDS_MAX	16
#define DEVRING_READERS_MAX	64		/* open readers of one device */
#define DEVRING_DEADLINE_MAX	60000		/* milliseconds that a lossless reader may be waited for */
#define DEVRING_REMOVALS_MAX	1024		/* removals that are remembered for listeners */

/* A read() buffer of this many bytes holds any one record of a device node, or of the control node. */
#define DEVRING_RECORD_MAX	128
#define DEVRING_CHANGE_MAX	1024

/**
 * enum devring_type - what a device is
 *
 * Whether data flows from it or to it is told by %DEVRING_REG_SINK, not by the type.
 */
enum devring_type {
	DEVRING_TYPE_CAMERA	= 1,
	DEVRING_TYPE_MICROPHONE	= 2,
	DEVRING_TYPE_SCREEN	= 3,
	DEVRING_TYPE_SPEAKER	= 4,
	DEVRING_TYPE_KEYBOARD	= 5,
	DEVRING_TYPE_MOUSE	= 6,
	DEVRING_TYPE_USB	= 7,
	DEVRING_TYPE_TENSOR	= 8,
	DEVRING_TYPE_EVENT	= 9,
	DEVRING_TYPE_OTHER	= 10,
};

/**
 * enum devring_state - where a device is in its life
 * @DEVRING_STATE_OFFLINE: registered, but nobody provides it now (unplugged, or its daemon is restarting)
 * @DEVRING_STATE_AVAILABLE: provided; it delivers as soon as somebody reads
 * @DEVRING_STATE_ERROR: provided, but it fails; the error field says with which errno
 * @DEVRING_STATE_REMOVED: gone for good; no transition leads out of it
 *
 * "In use" is no state: it is a reader count above zero.
 */
enum devring_state {
	DEVRING_STATE_OFFLINE	= 1,
	DEVRING_STATE_AVAILABLE	= 2,
	DEVRING_STATE_ERROR	= 3,
	DEVRING_STATE_REMOVED	= 4,
};

/*
 * ---- Records: what read() and write() carry ----
 */

/**
 * enum devring_record_kind - what a record is
 * @DEVRING_RECORD_FRAME: reader: one frame (struct devring_frame)
 * @DEVRING_RECORD_GENERATION: reader: the ring to map from now on (struct devring_generation)
 * @DEVRING_RECORD_STATE: reader: state or format changed (struct devring_state_change)
 * @DEVRING_RECORD_SLOT: producer: a slot to fill (struct devring_slot)
 * @DEVRING_RECORD_READERS: producer: readers came or went (struct devring_readers)
 * @DEVRING_RECORD_COMMIT: producer writes: publish a slot (struct devring_commit)
 * @DEVRING_RECORD_RETURN: producer writes: give a slot back unused (struct devring_return)
 * @DEVRING_RECORD_CHANGE: listener: a device is new or changed (struct devring_change)
 * @DEVRING_RECORD_REMOVED: listener: a device is gone (struct devring_change)
 * @DEVRING_RECORD_RESYNC: listener: too far behind; forget all devices, those that exist follow
 *			   (struct devring_change up to and without @device)
 */
enum devring_record_kind {
	DEVRING_RECORD_FRAME		= 1,
	DEVRING_RECORD_GENERATION	= 2,
	DEVRING_RECORD_STATE		= 3,
	DEVRING_RECORD_SLOT		= 16,
	DEVRING_RECORD_READERS		= 17,
	DEVRING_RECORD_COMMIT		= 18,
	DEVRING_RECORD_RETURN		= 19,
	DEVRING_RECORD_CHANGE		= 32,
	DEVRING_RECORD_REMOVED		= 33,
	DEVRING_RECORD_RESYNC		= 34,
};

/**
 * struct devring_record - the beginning of every record
 * @size: bytes of the whole record, a multiple of 8; skip records of unknown kind by it
 * @kind: enum devring_record_kind
 * @flags: DEVRING_RECORD_F_*; zero in records that are written
 *
 * read() returns whole records only, as many as are due and fit; a buffer too small for the first is EINVAL.
 */
struct devring_record {
	__u16	size;
	__u16	kind;
	__u32	flags;
/* A frame that this reader was holding had to be given up: see devring_frame.broken_sequence. */
#define DEVRING_RECORD_F_HOLD_BROKEN	(1U << 0)
/* This reader was lossless until here, and was too late: it is now one like all others. */
#define DEVRING_RECORD_F_DEMOTED	(1U << 1)
};

/* Flags of a frame, set by its producer. */
#define DEVRING_FRAME_KEY		(1U << 0)	/* decodable without other frames */
#define DEVRING_FRAME_DISCONTINUITY	(1U << 1)	/* does not continue the frame before it */
#define DEVRING_FRAME_CORRUPT		(1U << 2)	/* the source says that content is damaged */
#define DEVRING_FRAME_PARTIAL		(1U << 3)	/* still being filled: bytes will grow */
#define DEVRING_FRAME_END		(1U << 4)	/* the source ends with this frame */
#define DEVRING_FRAME_FLAGS		0x1fU

/**
 * struct devring_frame - a frame for a reader
 * @rec: kind %DEVRING_RECORD_FRAME
 * @sequence: number of the frame, from 0, without gaps at the producer
 * @offset: file offset of the first byte of the payload, for mmap() or pread()
 * @metadata_offset: file offset of the slot's metadata
 * @lost: frames that were committed after the one this reader got before, and that it did not get
 * @generation: generation that both offsets belong to
 * @slot: number of the slot
 * @bytes: length of the payload
 * @flags: DEVRING_FRAME_*
 * @capture_ns: when the source captured it
 * @commit_ns: when the kernel published it
 * @media_time: time stamp of the source in its own units
 * @trace_id: the producer's identification of this frame, or zero
 * @format_generation: format that it has
 * @lost_before: frames that the source itself lost just before this one
 * @broken_sequence: with %DEVRING_RECORD_F_HOLD_BROKEN: held frames up to this sequence may have been overwritten
 * @reserved: zero
 *
 * The frame is held: its slot is not filled again until this reader's reads need the hold for a newer frame
 * (struct devring_set_reader), or RELEASE ends it.  A read() that fails leaves all holds as they were.
 */
struct devring_frame {
	struct devring_record rec;
	__u64	sequence;
	__u64	offset;
	__u64	metadata_offset;
	__u64	lost;
	__u32	generation;
	__u32	slot;
	__u32	bytes;
	__u32	flags;
	__u64	capture_ns;
	__u64	commit_ns;
	__u64	media_time;
	__u64	trace_id;
	__u32	format_generation;
	__u32	lost_before;
	__u64	broken_sequence;
	__u64	reserved[3];
};

/**
 * struct devring_geometry - where everything of one generation is; written by the kernel
 * @generation: its number, from 1; 0 while there is no ring
 * @slots: number of slots
 * @entries: number of index entries, a power of two
 * @entry_stride: bytes from one index entry to the next
 * @ring_offset: file offset of the index, and of all that follows
 * @ring_bytes: bytes from @ring_offset to the end of the slots
 * @metadata_offset: file offset of the metadata of slot 0
 * @slots_offset: file offset of slot 0
 * @slot_size: bytes that a frame can have
 * @slot_stride: bytes from one slot to the next, a multiple of the page size
 * @metadata_size: bytes of metadata a slot
 * @metadata_stride: bytes from one slot's metadata to the next, a multiple of 64
 */
struct devring_geometry {
	__u32	generation;
	__u32	slots;
	__u32	entries;
	__u32	entry_stride;
	__u64	ring_offset;
	__u64	ring_bytes;
	__u64	metadata_offset;
	__u64	slots_offset;
	__u32	slot_size;
	__u32	slot_stride;
	__u32	metadata_size;
	__u32	metadata_stride;
};

/**
 * struct devring_generation - the ring was replaced: map this one
 * @rec: kind %DEVRING_RECORD_GENERATION
 * @geometry: the new ring; frames that follow lie in it
 * @head: sequence of the first frame that can lie in it
 */
struct devring_generation {
	struct devring_record rec;
	struct devring_geometry geometry;
	__u64	head;
};

/**
 * struct devring_state_change - state or format of the device, as it is now
 * @rec: kind %DEVRING_RECORD_STATE
 * @state: enum devring_state
 * @error: a positive errno in %DEVRING_STATE_ERROR, else 0
 * @changed: what this reader was not told yet: DEVRING_CHANGED_STATE, DEVRING_CHANGED_FORMAT, and for the reader of a
 *	     sink DEVRING_CHANGED_PRODUCER
 * @format_generation: number of the format in force: QUERY or the header have it whole
 * @time_ns: when the last of these changes happened
 *
 * Changes coalesce: a reader that was away is told the latest once.  After %DEVRING_STATE_REMOVED comes end of file.
 */
struct devring_state_change {
	struct devring_record rec;
	__u32	state;
	__s32	error;
	__u32	changed;
	__u32	format_generation;
	__u64	time_ns;
};

/**
 * struct devring_slot - a slot for the producer to fill
 * @rec: kind %DEVRING_RECORD_SLOT
 * @generation: generation it belongs to
 * @slot: its number
 * @offset: file offset of its first byte
 * @metadata_offset: file offset of its metadata
 *
 * The frame that was there is retired: no reader is told of it any more, and its index word says so.
 * At most slots - 2 may be out at once; a read() for more is ENOBUFS, and without a ring ENXIO.  While lossless
 * readers keep all others (%DEVRING_READER_LOSSLESS) it is EAGAIN, until poll() says POLLOUT, and POLLIN.
 * A read() of the producer never waits.
 */
struct devring_slot {
	struct devring_record rec;
	__u32	generation;
	__u32	slot;
	__u64	offset;
	__u64	metadata_offset;
};

/**
 * struct devring_readers - the number of readers, for the producer
 * @rec: kind %DEVRING_RECORD_READERS
 * @readers: readers that read, poll or map; capture while this is not 0
 * @reserved: zero
 *
 * Always the first record of a read(), so that a buffer for one record never takes a slot while this is due.
 * It is due after readers came or went, even if there are as many as before: who reads may have changed.
 * It coalesces; poll() says POLLIN while it is due, and POLLOUT while a slot can be taken.
 */
struct devring_readers {
	struct devring_record rec;
	__u32	readers;
	__u32	reserved[5];
};

/**
 * struct devring_commit - publish a slot
 * @rec: kind %DEVRING_RECORD_COMMIT, flags 0
 * @generation: as in struct devring_slot; ESTALE if the ring was replaced
 * @slot: as in struct devring_slot; EINVAL if it is not out
 * @bytes: length of the payload, at most slot_size
 * @flags: DEVRING_FRAME_*.  With PARTIAL the slot stays out: later commits of it may only raise @bytes, and the
 *	   last is the one without PARTIAL.  While a frame is partial a commit of another slot is EBUSY.
 * @capture_ns: when it was captured; 0: now
 * @media_time: any time stamp of the source
 * @trace_id: any number that identifies the frame
 * @lost_before: frames that the source lost just before this one
 * @reserved: must be zero
 *
 * Several records may be written at once; write() returns the bytes of those that were taken, or the error of
 * the first.  All of them wake the readers once.
 */
struct devring_commit {
	struct devring_record rec;
	__u32	generation;
	__u32	slot;
	__u32	bytes;
	__u32	flags;
	__u64	capture_ns;
	__u64	media_time;
	__u64	trace_id;
	__u32	lost_before;
	__u32	reserved0;
	__u64	reserved1;
};

/**
 * struct devring_return - give a slot back unused
 * @rec: kind %DEVRING_RECORD_RETURN, flags 0
 * @generation: as in struct devring_slot
 * @slot: as in struct devring_slot; returning a partial frame makes it lost to all who have not got it
 */
struct devring_return {
	struct devring_record rec;
	__u32	generation;
	__u32	slot;
};

/*
 * ---- Formats ----
 */

enum devring_format_kind {
	DEVRING_FORMAT_NONE	= 0,
	DEVRING_FORMAT_VIDEO	= 1,
	DEVRING_FORMAT_AUDIO	= 2,
	DEVRING_FORMAT_TENSOR	= 3,
	DEVRING_FORMAT_BYTES	= 4,
};

/**
 * struct devring_video_format - pictures
 * @fourcc: V4L2_PIX_FMT_*
 * @width: pixels
 * @height: lines
 * @planes: planes in the payload, 1 to 4
 * @stride: bytes from one line to the next, a plane; 0 for compressed formats
 * @plane_offset: bytes from the payload's start to each plane
 * @fps_numerator: frames in @fps_denominator seconds; 0 if unknown
 * @fps_denominator: seconds
 * @colorspace: enum v4l2_colorspace
 * @xfer_func: enum v4l2_xfer_func
 * @ycbcr_enc: enum v4l2_ycbcr_encoding
 * @quantization: enum v4l2_quantization
 * @field: enum v4l2_field
 */
struct devring_video_format {
	__u32	fourcc;
	__u32	width;
	__u32	height;
	__u32	planes;
	__u32	stride[4];
	__u32	plane_offset[4];
	__u32	fps_numerator;
	__u32	fps_denominator;
	__u32	colorspace;
	__u32	xfer_func;
	__u32	ycbcr_enc;
	__u32	quantization;
	__u32	field;
};

/**
 * struct devring_audio_format - interleaved samples
 * @sample_format: SNDRV_PCM_FORMAT_* of ALSA
 * @rate: samples a second and channel
 * @channels: number of channels
 * @frame_bytes: bytes of one sample of all channels
 * @period_frames: samples a channel in a full slot
 * @reserved: zero
 * @channel_mask: positions as in WAVEFORMATEXTENSIBLE; 0 if unknown
 */
struct devring_audio_format {
	__u32	sample_format;
	__u32	rate;
	__u32	channels;
	__u32	frame_bytes;
	__u32	period_frames;
	__u32	reserved;
	__u64	channel_mask;
};

/**
 * struct devring_tensor_format - a dense array, last dimension fastest
 * @dtype_code: as in DLPack: 0 int, 1 unsigned, 2 float, 4 bfloat
 * @dtype_bits: bits of one lane
 * @dtype_lanes: lanes of one element
 * @ndim: dimensions in use, at most 8
 * @shape: elements in each dimension; 0 where each frame's metadata tells
 */
struct devring_tensor_format {
	__u8	dtype_code;
	__u8	dtype_bits;
	__u16	dtype_lanes;
	__u32	ndim;
	__u64	shape[8];
};

/**
 * struct devring_bytes_format - anything else
 * @media_type: an IANA media type such as "application/json", NUL-terminated
 */
struct devring_bytes_format {
	char	media_type[64];
};

/**
 * struct devring_format - what the frames are
 * @kind: enum devring_format_kind: which member of the union holds
 * @generation: number of this format, from 1; written by the kernel
 * @video: for %DEVRING_FORMAT_VIDEO
 * @audio: for %DEVRING_FORMAT_AUDIO
 * @tensor: for %DEVRING_FORMAT_TENSOR
 * @bytes: for %DEVRING_FORMAT_BYTES
 * @raw: all of it; the kernel passes it on and does not look inside
 */
struct devring_format {
	__u32	kind;
	__u32	generation;
	union {
		struct devring_video_format video;
		struct devring_audio_format audio;
		struct devring_tensor_format tensor;
		struct devring_bytes_format bytes;
		__u64	raw[15];
	};
};

/*
 * ---- Shared memory, written by the kernel alone ----
 */

/**
 * struct devring_entry - index entry of a frame; entries lie geometry.entry_stride bytes apart
 * @word: DEVRING_WORD(sequence) while the frame is there to be read, anything else while not
 * @slot: where it lies
 * @bytes: length of the payload (with PARTIAL it grows: load it with acquire)
 * @flags: DEVRING_FRAME_* (while they can lose PARTIAL: load them with acquire before @bytes)
 * @lost_before: as committed
 * @capture_ns: as committed
 * @commit_ns: when the kernel published it
 * @media_time: as committed
 * @trace_id: as committed
 * @format_generation: format it has
 * @reserved: zero
 */
struct devring_entry {
	__u64	word;
	__u32	slot;
	__u32	bytes;
	__u32	flags;
	__u32	lost_before;
	__u64	capture_ns;
	__u64	commit_ns;
	__u64	media_time;
	__u64	trace_id;
	__u32	format_generation;
	__u32	reserved;
};

#define DEVRING_WORD(sequence)	((sequence) << 1 | 1)

/**
 * struct devring_header - the first page of a device's file
 * @magic: %DEVRING_MAGIC; 0 when this reader has been revoked
 * @abi_version: %DEVRING_ABI_VERSION
 * @header_size: bytes of this struct
 * @geometry_size: bytes of struct devring_geometry
 * @format_size: bytes of struct devring_format
 * @entry_size: bytes of struct devring_entry
 * @seqcount: odd while the kernel changes anything here but @head: read it before and after (pread() is never torn)
 * @state: enum devring_state
 * @error: a positive errno in %DEVRING_STATE_ERROR, else 0
 * @type: enum devring_type
 * @flags: DEVRING_REG_* of the device
 * @reserved0: zero
 * @id: the device's id
 * @reserved1: zero
 * @geometry: the ring in force
 * @format: the format in force
 * @head: sequence of the next frame, so the number of frames ever committed; written with release order
 * @reserved2: zero
 * @name: the device's name
 * @reserved3: zero
 */
struct devring_header {
	__u32	magic;
	__u32	abi_version;
	__u32	header_size;
	__u32	geometry_size;
	__u32	format_size;
	__u32	entry_size;
	__u32	seqcount;
	__u32	state;
	__s32	error;
	__u32	type;
	__u32	flags;
	__u32	reserved0;
	__u64	id;
	__u64	reserved1;
	struct devring_geometry geometry;
	struct devring_format format;
	__u64	head;
	__u64	reserved2[15];
	char	name[DEVRING_NAME_SIZE];
	__u64	reserved3[8];
};

/*
 * ---- ioctls ----
 *
 * Each argument begins with @size: the caller's sizeof.  A kernel that knows a longer struct takes the missing
 * members as zero; one that knows a shorter struct refuses members that are not zero with E2BIG, and leaves
 * those it does not know zero on return.  A @size below the first version's is EINVAL.  Unknown flags and
 * nonzero reserved members are EINVAL; a call or flag that is defined here but not built is EOPNOTSUPP and
 * missing from devring_info.features; an unknown ioctl is ENOTTY.  On any error nothing has changed.
 */

/**
 * struct devring_info - what this kernel can do (INFO, control node)
 * @size: sizeof(struct devring_info)
 * @abi_version: %DEVRING_ABI_VERSION of the module
 * @features: DEVRING_FEATURE_*
 * @slots_max: limit of slots a ring
 * @slot_size_max: limit of bytes a slot
 * @metadata_max: limit of bytes of metadata a slot
 * @holds_max: limit of holds a reader
 * @readers_max: limit of open readers a device.  One user gets no more of these places than are left, and the last
 *		 four are for who may revoke the others: its registrant, CAP_SYS_ADMIN; CAP_SYS_RESOURCE can have all
 * @user_devices_max: devices that one user can register; CAP_SYS_RESOURCE has no limits a user
 * @user_readers_max: readers that one user can have open
 * @user_holds_max: frames that one user can hold beyond one a reader
 * @user_bytes_max: bytes of rings that one user can own, never more than @total_bytes_max
 * @total_bytes_max: bytes of rings that all can own
 * @user_bytes: bytes that the caller's rings take now
 * @total_bytes: bytes that all rings take now
 * @devices: registered devices
 * @devices_available: those in %DEVRING_STATE_AVAILABLE
 * @change: number of the latest change on the control node
 * @reserved: zero
 */
struct devring_info {
	__u32	size;
	__u32	abi_version;
	__u64	features;
#define DEVRING_FEATURE_HOLDS		(1ULL << 0)	/* frames are held for their readers */
#define DEVRING_FEATURE_GRANT		(1ULL << 1)	/* GRANT */
#define DEVRING_FEATURE_EXPORT		(1ULL << 2)	/* EXPORT */
#define DEVRING_FEATURE_WAKE_FILTERS	(1ULL << 3)	/* SET_READER: wake_frames, wake_rate, KEY_ONLY */
#define DEVRING_FEATURE_LOSSLESS	(1ULL << 4)	/* DEVRING_REG_LOSSLESS, DEVRING_READER_LOSSLESS */
#define DEVRING_FEATURE_RECHECK		(1ULL << 5)	/* DEVRING_REVOKE_RECHECK */
#define DEVRING_FEATURE_DIRECT		(1ULL << 6)	/* reserved: the producer writes the index itself */
#define DEVRING_FEATURE_MEMCG		(1ULL << 7)	/* rings are charged to a memory cgroup */
	__u32	slots_max;
	__u32	slot_size_max;
	__u32	metadata_max;
	__u32	holds_max;
	__u32	readers_max;
	__u32	user_devices_max;
	__u32	user_readers_max;
	__u32	user_holds_max;
	__u64	user_bytes_max;
	__u64	total_bytes_max;
	__u64	user_bytes;
	__u64	total_bytes;
	__u32	devices;
	__u32	devices_available;
	__u64	change;
	__u64	reserved[4];
};

/* Flags of a device; QUERY and the header show them. */
#define DEVRING_REG_PERSIST		(1U << 0)	/* outlives its producer, until UNREGISTER */
#define DEVRING_REG_SINK		(1U << 1)	/* data flows from openers to the registrant */
#define DEVRING_REG_PUBLIC		(1U << 2)	/* who can open the control node may OPEN and read it */
#define DEVRING_REG_KEEP_HISTORY	(1U << 3)	/* frames stay when nobody reads */
#define DEVRING_REG_PINNABLE		(1U << 4)	/* readers may pin pages: a map outlives its revocation */
#define DEVRING_REG_LOSSLESS		(1U << 5)	/* readers may ask to be waited for */

/**
 * struct devring_register - make a device (REGISTER, control node open for writing)
 * @size: sizeof(struct devring_register)
 * @flags: DEVRING_REG_*
 * @type: enum devring_type
 * @deadline_ms: with %DEVRING_REG_LOSSLESS the most that a reader may ask for, 1 to %DEVRING_DEADLINE_MAX; else zero
 * @id: out: its id, never used again
 * @minor: out: N of /dev/devringN
 * @reserved0: zero
 * @name: letters, digits and any of "#+-.:=@_"; not empty, not ".", "..", and not beginning with "by-" or with
 *	  "u", digits and "-"
 * @label: what people call it, meant as UTF-8.  Control characters (below 32, and 127) are refused; the rest is
 *	   not looked at: who shows it must check
 * @stable_id: same for this piece of hardware at any time (serial number ...); may be empty; characters as @name
 * @path_id: same for this port at any time; may be empty; characters as @name
 * @reserved: zero
 *
 * Returns a file descriptor (close-on-exec): the producer's, or for a sink its reader's.  The device belongs to
 * it, and goes with its last copy and mapping unless %DEVRING_REG_PERSIST is set.
 *
 * Texts end with a NUL, and are zero behind it.
 *
 * A name is taken while a device has it.  Registrants who may write the control node as its owner, by its group
 * or with CAP_SYS_ADMIN share the plain names; each other user has names of its own, linked as "u<uid>-<name>".
 *
 * Errors: EINVAL, EACCES (node not open for writing), EEXIST (name taken), EDQUOT (limit of devices), EAGAIN (too
 * many registrations in a short time: try again in a second), ENOSPC (no minor left), EMFILE, ENFILE, ENOMEM, EFAULT,
 * E2BIG, EOPNOTSUPP.
 */
struct devring_register {
	__u32	size;
	__u32	flags;
	__u32	type;
	__u32	deadline_ms;
	__u64	id;
	__u32	minor;
	__u32	reserved0;
	char	name[DEVRING_NAME_SIZE];
	char	label[DEVRING_LABEL_SIZE];
	char	stable_id[DEVRING_ID_SIZE];
	char	path_id[DEVRING_ID_SIZE];
	__u64	reserved[8];
};

/**
 * struct devring_unregister - end a device (UNREGISTER, control node open for writing)
 * @size: sizeof(struct devring_unregister)
 * @flags: zero
 * @id: which
 *
 * For the registrant's uid or CAP_SYS_ADMIN.  Errors: ENODEV, EACCES, EPERM, EINVAL, EFAULT, E2BIG.
 */
struct devring_unregister {
	__u32	size;
	__u32	flags;
	__u64	id;
};

/**
 * struct devring_attach - become the next producer of a persistent device (ATTACH, control node)
 * @size: sizeof(struct devring_attach)
 * @flags: DEVRING_ATTACH_*
 * @id: which
 *
 * For the registrant's uid or CAP_SYS_ADMIN.  Returns a file descriptor as REGISTER does.  If the device had a ring,
 * a new generation of the same geometry is made; where its user's limit of bytes does not allow two such rings at
 * once, the one there is ends first, and stays ended if there is no memory for the new one.  Errors: ENODEV, EPERM,
 * EACCES, EBUSY (there is a producer, and no TAKEOVER), EDQUOT, ENOMEM, EINTR, EMFILE, ENFILE, EINVAL, EFAULT, E2BIG.
 */
struct devring_attach {
	__u32	size;
	__u32	flags;
#define DEVRING_ATTACH_TAKEOVER		(1U << 0)	/* replace the producer: its calls then are ENODEV */
	__u64	id;
};

/**
 * struct devring_open - open a PUBLIC device for reading without its node (OPEN, control node)
 * @size: sizeof(struct devring_open)
 * @flags: O_NONBLOCK or zero
 * @id: which
 *
 * Returns a reader's file descriptor.  Errors: ENODEV, EACCES (not PUBLIC), EMFILE, ENFILE, EDQUOT, EUSERS, ENOMEM,
 * EINVAL, EFAULT, E2BIG.
 */
struct devring_open {
	__u32	size;
	__u32	flags;
	__u64	id;
};

/**
 * struct devring_device - all that is known of a device
 * @id: its id
 * @type: enum devring_type
 * @flags: DEVRING_REG_*
 * @state: enum devring_state
 * @error: a positive errno in %DEVRING_STATE_ERROR, else 0
 * @minor: N of /dev/devringN
 * @readers: readers that read, poll or map
 * @opens: open readers, idle ones included
 * @queued: slots that the producer has
 * @held: slots that readers hold
 * @slots_needed: slots with which no hold would ever have been broken since the ring was made
 * @registrant_uid: who registered it, in the caller's user namespace
 * @registrant_pid: likewise, in the caller's pid namespace; 0 if not visible there, or if it has ended
 * @producer_uid: who attached as producer; the overflow uid if nobody
 * @producer_pid: likewise; 0 if nobody
 * @registered_ns: when, CLOCK_BOOTTIME
 * @registered_real_ns: when, CLOCK_REALTIME
 * @used_ns: when a reader last read, polled or mapped for the first time, CLOCK_BOOTTIME; 0: never
 * @head: frames ever committed
 * @bytes: memory of its rings
 * @holds_broken: holds that were broken
 * @geometry: the ring in force; generation 0: none
 * @format: the format in force
 * @name: as registered
 * @link: name of its link in /dev/devrings: @name, or "u<uid>-<name>"
 * @label: as registered
 * @stable_id: as registered
 * @path_id: as registered
 * @deadline_ms: with %DEVRING_REG_LOSSLESS: how long a reader is waited for at the most
 * @reserved0: zero
 * @reserved: zero
 */
struct devring_device {
	__u64	id;
	__u32	type;
	__u32	flags;
	__u32	state;
	__s32	error;
	__u32	minor;
	__u32	readers;
	__u32	opens;
	__u32	queued;
	__u32	held;
	__u32	slots_needed;
	__u32	registrant_uid;
	__s32	registrant_pid;
	__u32	producer_uid;
	__s32	producer_pid;
	__u64	registered_ns;
	__u64	registered_real_ns;
	__u64	used_ns;
	__u64	head;
	__u64	bytes;
	__u64	holds_broken;
	struct devring_geometry geometry;
	struct devring_format format;
	char	name[DEVRING_NAME_SIZE];
	char	link[DEVRING_LINK_SIZE];
	char	label[DEVRING_LABEL_SIZE];
	char	stable_id[DEVRING_ID_SIZE];
	char	path_id[DEVRING_ID_SIZE];
	__u32	deadline_ms;
	__u32	reserved0;
	__u64	reserved[7];
};

/**
 * struct devring_query - look at a device (QUERY, control node and device nodes)
 * @size: sizeof(struct devring_query)
 * @flags: DEVRING_QUERY_*
 * @id: which; on a device node 0, or its own id
 * @device: out
 *
 * Errors: ENODEV (no such device, or none after @id), EINVAL, EFAULT, E2BIG.
 */
struct devring_query {
	__u32	size;
	__u32	flags;
#define DEVRING_QUERY_NEXT		(1U << 0)	/* the device with the lowest id above @id */
	__u64	id;
	struct devring_device device;
};

/* What changed; devring_change.changed and devring_state_change.changed. */
#define DEVRING_CHANGED_ADDED		(1U << 0)	/* the listener does not know it yet */
#define DEVRING_CHANGED_STATE		(1U << 1)	/* state or error */
#define DEVRING_CHANGED_FORMAT		(1U << 2)	/* format */
#define DEVRING_CHANGED_GENERATION	(1U << 3)	/* ring */
#define DEVRING_CHANGED_IN_USE		(1U << 4)	/* readers from none to some, or back */
#define DEVRING_CHANGED_PRODUCER	(1U << 5)	/* who produces */

/**
 * struct devring_change - a device as it is now (read() of the control node)
 * @rec: kind %DEVRING_RECORD_CHANGE, %DEVRING_RECORD_REMOVED or %DEVRING_RECORD_RESYNC
 * @changed: DEVRING_CHANGED_*: all that changed since this listener was told last
 * @reserved: zero
 * @change: number of the change; they rise from record to record
 * @device: the device; when REMOVED only id, type, flags, state, minor, name and link are set
 *
 * A new listener is first told every device there is, each with ADDED; then what happens, of one device at most ten
 * times a second.  Nothing is queued: a slow listener gets the latest state of each device once, and removals as
 * long as they are remembered.
 */
struct devring_change {
	struct devring_record rec;
	__u32	changed;
	__u32	reserved;
	__u64	change;
	struct devring_device device;
};

/**
 * struct devring_set_ring - allocate slots (SET_RING; the producer, or for a sink its reader)
 * @size: sizeof(struct devring_set_ring)
 * @flags: zero
 * @slots: number of slots, %DEVRING_SLOTS_MIN to devring_info.slots_max
 * @slot_size: bytes a slot, from 1
 * @metadata_size: bytes of metadata a slot, or 0
 * @reserved: zero
 * @geometry: out: the new generation
 *
 * Readers that hold frames of the old generation keep them until their next read, at most 5 seconds.
 * Errors: EINVAL, EOVERFLOW (does not fit a generation's 16 GiB), EDQUOT (limit of bytes), ENOMEM, EINTR (killed),
 * EACCES (a reader's file), ENODEV (taken over, revoked or removed), EFAULT, E2BIG.
 */
struct devring_set_ring {
	__u32	size;
	__u32	flags;
	__u32	slots;
	__u32	slot_size;
	__u32	metadata_size;
	__u32	reserved;
	struct devring_geometry geometry;
};

/**
 * struct devring_set_format - say what the frames are (SET_FORMAT; as SET_RING)
 * @size: sizeof(struct devring_set_format)
 * @flags: zero
 * @format: with generation 0; out: with its generation.  Frames committed from now on have it.
 *
 * Errors: EINVAL, EACCES, ENODEV, EFAULT, E2BIG.
 */
struct devring_set_format {
	__u32	size;
	__u32	flags;
	struct devring_format format;
};

/**
 * struct devring_set_state - report an error, or its end (SET_STATE; as SET_RING)
 * @size: sizeof(struct devring_set_state)
 * @flags: zero
 * @state: %DEVRING_STATE_AVAILABLE or %DEVRING_STATE_ERROR
 * @error: with ERROR a positive errno, else 0
 *
 * Errors: EINVAL, EACCES, ENODEV, EFAULT, E2BIG.
 */
struct devring_set_state {
	__u32	size;
	__u32	flags;
	__u32	state;
	__s32	error;
};

/* Where a reader starts. */
enum devring_start {
	DEVRING_START_KEEP	= 0,	/* go on where it is; a new reader: NEWEST */
	DEVRING_START_NEWEST	= 1,	/* the newest frame there is, else the next */
	DEVRING_START_OLDEST	= 2,	/* the oldest frame there is, else the next */
	DEVRING_START_NEXT	= 3,	/* the next frame committed */
	DEVRING_START_SEQUENCE	= 4,	/* this sequence, else what comes after it (the gap counts as lost) */
};

/**
 * struct devring_set_reader - how this reader reads (SET_READER, reader)
 * @size: sizeof(struct devring_set_reader)
 * @flags: DEVRING_READER_*
 * @start: enum devring_start
 * @holds: frames that stay held at once, 0 to %DEVRING_HOLDS_MAX (1 without this call).  Lowering it ends the
 *	   oldest holds.  With 0 a frame can be overwritten while it is read: check its index word.
 * @sequence: for %DEVRING_START_SEQUENCE, else 0
 * @wake_frames: wake for frames only when so many were committed since the last one that was read, lost ones too;
 *		 0 or 1: each wakes.  Only 0 or 1 with %DEVRING_READER_KEY_ONLY.
 * @wake_rate: wake for frames at most so many times a second; 0: without limit.  A wake that is late by less than a
 *	       quarter of the interval does not put off the ones after it.
 * @deadline_ms: with %DEVRING_READER_LOSSLESS how long the producer waits for this reader, at most what REGISTER
 *		 allowed; 0: as long as that.  Else zero.
 * @reserved: zero
 *
 * wake_frames, wake_rate and KEY_ONLY say when poll() calls frames readable, and when a read() that waits goes on;
 * a read() that does not wait gets what there is.  News always wakes, and without a producer (any state but
 * AVAILABLE) every frame does.  A commit schedules nobody who is not to be woken by it; set the filter before the
 * first read, poll or map for that.
 *
 * A lossless reader misses no frame: as long as it is to get one, or holds it, the slot is not filled again, and its
 * holds are not broken.  The producer is held up only when it can have no other slot: from then on, and until there
 * is one, the readers who keep the oldest have deadline_ms.  Whoever still keeps it then is demoted, with all
 * lossless readers of the same user: the next frame says so (%DEVRING_RECORD_F_DEMOTED), and the user gets no
 * lossless reader of this device while this producer is there, nor does anybody after 16 users.  Files of
 * CAP_SYS_RESOURCE are demoted one by one, and may ask again.  Who holds all slots but one waits for what cannot
 * come: have fewer holds than slots - 2.  A new ring, or a new producer, ends what was not read: that is counted as
 * lost.
 *
 * Errors: EINVAL, EDQUOT (holds of this user), EACCES (the producer's file), ENODEV, EFAULT, E2BIG; with LOSSLESS
 * also EPERM (REGISTER did not allow it), ETIME (this user was demoted), EUSERS (16 users were).
 */
struct devring_set_reader {
	__u32	size;
	__u32	flags;
#define DEVRING_READER_LATEST		(1U << 0)	/* skip to the newest frame at each read; the rest is lost */
#define DEVRING_READER_PARTIAL		(1U << 1)	/* also deliver partial frames, again each time they grew */
#define DEVRING_READER_KEY_ONLY		(1U << 2)	/* frames with %DEVRING_FRAME_KEY only; the rest is lost */
#define DEVRING_READER_LOSSLESS		(1U << 3)	/* the producer waits; no LATEST, KEY_ONLY, wake_* */
	__u32	start;
	__u32	holds;
	__u64	sequence;
	__u32	wake_frames;
	__u32	wake_rate;
	__u32	deadline_ms;
	__u32	reserved[3];
};

/**
 * struct devring_release - end a hold early (RELEASE, reader)
 * @size: sizeof(struct devring_release)
 * @flags: zero
 * @sequence: frame that is no longer looked at
 *
 * Errors: ENOENT (not held, or its hold was broken), EINVAL, EACCES, ENODEV, EFAULT, E2BIG.
 */
struct devring_release {
	__u32	size;
	__u32	flags;
	__u64	sequence;
};

/**
 * struct devring_reader - a reader, as others see it
 * @id: its number, never used again
 * @open_pid: who opened it, in the caller's pid namespace; 0 if not visible there, or to this caller, or if it has
 *	      ended (its number may be another's by now)
 * @last_pid: who last read or polled it, likewise
 * @map_pid: who last mapped it, likewise
 * @uid: user who opened it, in the caller's user namespace; the overflow uid if not visible to this caller
 * @cgroup: id of the cgroup (version 2) of who opened it; 0 if not visible, or not of the caller's pid namespace
 * @since_ns: when it was opened, CLOCK_BOOTTIME
 * @delivered: frames that it was given whole
 * @lost: frames that it was not given
 * @cursor: sequence it waits for
 * @held: frames it holds
 * @flags: DEVRING_READER_* of SET_READER, and DEVRING_READER_IS_*
 * @expires_ns: when its access ends, CLOCK_BOOTTIME; 0: with what it was granted from, or never
 * @granted_from: id of the reader that it was granted from, which is its end; 0: of none
 * @reserved: zero
 */
struct devring_reader {
	__u64	id;
	__s32	open_pid;
	__s32	last_pid;
	__s32	map_pid;
	__u32	uid;
	__u64	cgroup;
	__u64	since_ns;
	__u64	delivered;
	__u64	lost;
	__u64	cursor;
	__u32	held;
	__u32	flags;
#define DEVRING_READER_IS_ACTIVE	(1U << 16)	/* has read, polled or mapped: counts as a reader */
#define DEVRING_READER_IS_SELF		(1U << 17)	/* the file that was asked */
#define DEVRING_READER_IS_GRANTED	(1U << 18)	/* came from GRANT */
#define DEVRING_READER_IS_HIDDEN	(1U << 19)	/* identity not shown to this caller */
	__u64	expires_ns;
	__u64	granted_from;
	__u64	reserved[4];
};

/**
 * struct devring_list_readers - who reads (READERS, any file of a device)
 * @size: sizeof(struct devring_list_readers)
 * @flags: zero
 * @readers: address of an array of struct devring_reader
 * @reader_size: sizeof(struct devring_reader)
 * @count: in: length of the array; out: number of readers there are, of which as many as fit were written
 *
 * Identity is shown to CAP_SYS_ADMIN, to the producer, and to the reader's own uid.
 * Errors: EINVAL, ENODEV, ENOMEM, EFAULT, E2BIG.
 */
struct devring_list_readers {
	__u32	size;
	__u32	flags;
	__u64	readers;
	__u32	reader_size;
	__u32	count;
};

enum devring_revoke_what {
	DEVRING_REVOKE_THIS	= 0,	/* this file; EINVAL for the one that the registration hangs on */
	DEVRING_REVOKE_READER	= 1,	/* the reader @reader */
	DEVRING_REVOKE_UID	= 2,	/* all readers that @uid opened */
	DEVRING_REVOKE_ALL	= 3,	/* all readers */
	DEVRING_REVOKE_RECHECK	= 4,	/* all who could not open their node now: take the right away, then recheck */
};

/**
 * struct devring_revoke - take access away (REVOKE, any file of a device)
 * @size: sizeof(struct devring_revoke)
 * @flags: zero
 * @what: enum devring_revoke_what
 * @uid: for %DEVRING_REVOKE_UID, in the caller's user namespace; else 0
 * @reader: for %DEVRING_REVOKE_READER; else 0
 * @revoked: out: readers that were revoked
 * @reserved: zero
 *
 * Revoked files stay open: their maps read as zeros, their calls are ENODEV, poll() says POLLHUP | POLLERR.  After
 * REVOKE has returned nothing that is committed later can be seen through them.  It cannot be undone.
 * All but THIS are for the producer, the registrant's uid and CAP_SYS_ADMIN.
 * Errors: EPERM, ENOENT (no such reader), EINVAL, ENODEV, EOPNOTSUPP, EFAULT, E2BIG.
 */
struct devring_revoke {
	__u32	size;
	__u32	flags;
	__u32	what;
	__u32	uid;
	__u64	reader;
	__u32	revoked;
	__u32	reserved;
};

/**
 * struct devring_grant - a reader to hand on (GRANT, reader)
 * @size: sizeof(struct devring_grant)
 * @flags: zero
 * @expires_ns: when it ends, CLOCK_BOOTTIME; 0: not before this reader
 *
 * Having a reader is the proof of the right to it: the descriptor that is returned can be passed to whom has none.
 * It ends, as if it were revoked, at its time, and at the latest when the file it was granted from is closed or
 * revoked.  What was granted cannot grant.
 * Errors: EBADF (not open for reading), EACCES (a producer's, a sink's or a granted file), ETIME (the time is
 * over), ENODEV, EUSERS, EDQUOT, EMFILE,
 * ENFILE, ENOMEM, EINVAL, EFAULT, E2BIG.
 */
struct devring_grant {
	__u32	size;
	__u32	flags;
	__u64	expires_ns;
};

/**
 * struct devring_export - a slot as a dma-buf (EXPORT, producer)
 * @size: sizeof(struct devring_export)
 * @flags: zero
 * @generation: as in struct devring_slot
 * @slot: as in struct devring_slot
 *
 * Returns a file descriptor (close-on-exec) that drivers import, such as V4L2's with V4L2_MEMORY_DMABUF, to fill the
 * slot without a map of it.  It has slot_stride bytes, and cannot be mapped itself.  Any slot can be exported, and as
 * often as one likes; only fill it while it is out.  The memory of the ring stays, and is charged, until all its
 * dma-bufs are closed and released by the drivers; what is written when the ring was replaced is seen by nobody but
 * those who hold a frame of it, for at most 5 seconds.
 *
 * Errors: EACCES (not the producer's file, or a sink's), ENODEV, ESTALE (generation), EINVAL, EMFILE, ENFILE,
 * ENOMEM, EFAULT, E2BIG,
 * EOPNOTSUPP (this kernel has no dma-bufs; see %DEVRING_FEATURE_EXPORT).
 */
struct devring_export {
	__u32	size;
	__u32	flags;
	__u32	generation;
	__u32	slot;
};

#define DEVRING_IOC_MAGIC		0xde

/* Control node: /dev/devring */
#define DEVRING_IOC_INFO		_IOWR(DEVRING_IOC_MAGIC, 0x00, struct devring_info)
#define DEVRING_IOC_REGISTER		_IOWR(DEVRING_IOC_MAGIC, 0x01, struct devring_register)
#define DEVRING_IOC_UNREGISTER		_IOWR(DEVRING_IOC_MAGIC, 0x02, struct devring_unregister)
#define DEVRING_IOC_ATTACH		_IOWR(DEVRING_IOC_MAGIC, 0x03, struct devring_attach)
#define DEVRING_IOC_OPEN		_IOWR(DEVRING_IOC_MAGIC, 0x04, struct devring_open)
/* Control node and device nodes */
#define DEVRING_IOC_QUERY		_IOWR(DEVRING_IOC_MAGIC, 0x10, struct devring_query)
/* Any file of a device */
#define DEVRING_IOC_READERS		_IOWR(DEVRING_IOC_MAGIC, 0x11, struct devring_list_readers)
#define DEVRING_IOC_REVOKE		_IOWR(DEVRING_IOC_MAGIC, 0x12, struct devring_revoke)
/* The producer; of a sink, its registrant */
#define DEVRING_IOC_SET_RING		_IOWR(DEVRING_IOC_MAGIC, 0x20, struct devring_set_ring)
#define DEVRING_IOC_SET_FORMAT		_IOWR(DEVRING_IOC_MAGIC, 0x21, struct devring_set_format)
#define DEVRING_IOC_SET_STATE		_IOWR(DEVRING_IOC_MAGIC, 0x22, struct devring_set_state)
#define DEVRING_IOC_EXPORT		_IOWR(DEVRING_IOC_MAGIC, 0x23, struct devring_export)
/* A reader */
#define DEVRING_IOC_SET_READER		_IOWR(DEVRING_IOC_MAGIC, 0x30, struct devring_set_reader)
#define DEVRING_IOC_RELEASE		_IOWR(DEVRING_IOC_MAGIC, 0x31, struct devring_release)
#define DEVRING_IOC_GRANT		_IOWR(DEVRING_IOC_MAGIC, 0x32, struct devring_grant)

/*
 * ---- The layout, nailed down for every compiler that reads this ----
 */

#ifdef __cplusplus
#define _DEVRING_ASSERT(x)	static_assert(x, #x)
#else
#define _DEVRING_ASSERT(x)	_Static_assert(x, #x)
#endif
#define _DEVRING_SIZE(type, bytes)	_DEVRING_ASSERT(sizeof(struct type) == (bytes))
#define _DEVRING_AT(type, member, at)	_DEVRING_ASSERT(__builtin_offsetof(struct type, member) == (at))

_DEVRING_SIZE(devring_record, 8);
_DEVRING_SIZE(devring_frame, 128);
_DEVRING_AT(devring_frame, sequence, 8);
_DEVRING_AT(devring_frame, offset, 16);
_DEVRING_AT(devring_frame, metadata_offset, 24);
_DEVRING_AT(devring_frame, lost, 32);
_DEVRING_AT(devring_frame, generation, 40);
_DEVRING_AT(devring_frame, slot, 44);
_DEVRING_AT(devring_frame, bytes, 48);
_DEVRING_AT(devring_frame, flags, 52);
_DEVRING_AT(devring_frame, capture_ns, 56);
_DEVRING_AT(devring_frame, commit_ns, 64);
_DEVRING_AT(devring_frame, media_time, 72);
_DEVRING_AT(devring_frame, trace_id, 80);
_DEVRING_AT(devring_frame, format_generation, 88);
_DEVRING_AT(devring_frame, lost_before, 92);
_DEVRING_AT(devring_frame, broken_sequence, 96);
_DEVRING_SIZE(devring_geometry, 64);
_DEVRING_AT(devring_geometry, ring_offset, 16);
_DEVRING_AT(devring_geometry, slots_offset, 40);
_DEVRING_AT(devring_geometry, slot_size, 48);
_DEVRING_SIZE(devring_generation, 80);
_DEVRING_AT(devring_generation, geometry, 8);
_DEVRING_AT(devring_generation, head, 72);
_DEVRING_SIZE(devring_state_change, 32);
_DEVRING_AT(devring_state_change, time_ns, 24);
_DEVRING_SIZE(devring_slot, 32);
_DEVRING_AT(devring_slot, offset, 16);
_DEVRING_SIZE(devring_readers, 32);
_DEVRING_SIZE(devring_commit, 64);
_DEVRING_AT(devring_commit, bytes, 16);
_DEVRING_AT(devring_commit, capture_ns, 24);
_DEVRING_AT(devring_commit, lost_before, 48);
_DEVRING_SIZE(devring_return, 16);
_DEVRING_SIZE(devring_video_format, 76);
_DEVRING_SIZE(devring_audio_format, 32);
_DEVRING_SIZE(devring_tensor_format, 72);
_DEVRING_SIZE(devring_bytes_format, 64);
_DEVRING_SIZE(devring_format, 128);
_DEVRING_AT(devring_format, raw, 8);
_DEVRING_SIZE(devring_entry, 64);
_DEVRING_AT(devring_entry, capture_ns, 24);
_DEVRING_AT(devring_entry, format_generation, 56);
_DEVRING_SIZE(devring_header, 512);
_DEVRING_AT(devring_header, seqcount, 24);
_DEVRING_AT(devring_header, id, 48);
_DEVRING_AT(devring_header, geometry, 64);
_DEVRING_AT(devring_header, format, 128);
_DEVRING_AT(devring_header, head, 256);
_DEVRING_AT(devring_header, name, 384);
_DEVRING_SIZE(devring_info, 128);
_DEVRING_AT(devring_info, slots_max, 16);
_DEVRING_AT(devring_info, user_bytes_max, 48);
_DEVRING_AT(devring_info, change, 88);
_DEVRING_SIZE(devring_register, 480);
_DEVRING_AT(devring_register, id, 16);
_DEVRING_AT(devring_register, name, 32);
_DEVRING_AT(devring_register, path_id, 288);
_DEVRING_SIZE(devring_unregister, 16);
_DEVRING_SIZE(devring_attach, 16);
_DEVRING_SIZE(devring_open, 16);
_DEVRING_SIZE(devring_device, 832);
_DEVRING_AT(devring_device, registered_ns, 64);
_DEVRING_AT(devring_device, geometry, 112);
_DEVRING_AT(devring_device, format, 176);
_DEVRING_AT(devring_device, name, 304);
_DEVRING_AT(devring_device, path_id, 640);
_DEVRING_AT(devring_device, deadline_ms, 768);
_DEVRING_SIZE(devring_query, 848);
_DEVRING_AT(devring_query, device, 16);
_DEVRING_SIZE(devring_change, 856);
_DEVRING_AT(devring_change, change, 16);
_DEVRING_AT(devring_change, device, 24);
_DEVRING_SIZE(devring_set_ring, 88);
_DEVRING_AT(devring_set_ring, geometry, 24);
_DEVRING_SIZE(devring_set_format, 136);
_DEVRING_SIZE(devring_set_state, 16);
_DEVRING_SIZE(devring_set_reader, 48);
_DEVRING_AT(devring_set_reader, sequence, 16);
_DEVRING_SIZE(devring_release, 16);
_DEVRING_SIZE(devring_reader, 120);
_DEVRING_AT(devring_reader, cgroup, 24);
_DEVRING_AT(devring_reader, held, 64);
_DEVRING_AT(devring_reader, expires_ns, 72);
_DEVRING_AT(devring_reader, granted_from, 80);
_DEVRING_SIZE(devring_list_readers, 24);
_DEVRING_SIZE(devring_revoke, 32);
_DEVRING_AT(devring_revoke, reader, 16);
_DEVRING_SIZE(devring_grant, 16);
_DEVRING_SIZE(devring_export, 16);

#undef _DEVRING_ASSERT
#undef _DEVRING_SIZE
#undef _DEVRING_AT

#endif /* _UAPI_LINUX_DEVRING_H */
