/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of devring share: its objects, which lock covers what, and the functions between files.
 *
 * Data flows one way: producer.c takes and commits slots (slot.c) of a ring (ring.c), reader.c hands frames
 * out, wake.c wakes them, lossless.c has the producer wait for some, map.c shows their pages, export.c hands them to
 * drivers.  device.c gives all of this a name, changes.c tells the world.
 *
 * Locks, outermost first:
 *
 *	devring_registry	which devices there are
 *	devring_dev.mutex	set-up of one device; sleeps; never held over a user copy (mmap() takes it)
 *	devring_dev.map_sem	what maps may show: readers are page faults, writers revocation and new rings;
 *				over pointer reads and PTE insertion only
 *	devring_dev.lock	the data path; never sleeps
 *	changes.c, user.c	leaf spinlocks, and those of wait queues
 */
#ifndef DEVRING_CORE_H
#define DEVRING_CORE_H

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/devring.h>

#include "buf.h"

#define DEVRING_MINORS		BIT(16)
#define DEVRING_FEATURES	(DEVRING_FEATURE_HOLDS | DEVRING_FEATURE_GRANT | DEVRING_FEATURE_RECHECK | \
				 DEVRING_FEATURE_WAKE_FILTERS | DEVRING_FEATURE_LOSSLESS | \
				 (IS_ENABLED(CONFIG_DMA_SHARED_BUFFER) ? DEVRING_FEATURE_EXPORT : 0) | \
				 (DEVRING_GFP_ACCOUNT ? DEVRING_FEATURE_MEMCG : 0))

/* read(2) and write(2) carry records; they come with this file position, pread(2) with that of its caller. */
#define DEVRING_POS_RECORDS	((loff_t)BIT_ULL(62))

/* A generation's window in the file, and where in it the index begins (above any page size's header). */
#define DEVRING_WINDOW_SHIFT	34
#define DEVRING_WINDOWS		1024
#define DEVRING_INDEX_START	0x10000ULL
#define DEVRING_ENTRY_STRIDE	128

/* How long what a hold names, or an absent producer left, stays. */
#define DEVRING_LINGER		(5 * HZ)

/* Users of a device whose lossless readers were too late. */
#define DEVRING_DEMOTED_MAX	16

enum devring_quota {
	DEVRING_QUOTA_DEVICES,
	DEVRING_QUOTA_READERS,
	DEVRING_QUOTA_HOLDS,
	DEVRING_QUOTA_BYTES,
	DEVRING_QUOTAS,
};

/**
 * struct devring_user - what one kuid has of devring; exists while something refers to it
 * @node: in the list of users; users_lock of user.c covers all members
 * @uid: who
 * @refs: references
 * @used: what is charged now
 * @tokens: registrations that he has left, as of @counted
 * @counted: jiffies
 */
struct devring_user {
	struct list_head node;
	kuid_t uid;
	unsigned int refs;
	u64 used[DEVRING_QUOTAS];
	unsigned int tokens;
	unsigned long counted;
};

/* One slot, as the kernel sees it.  All under devring_dev.lock. */
struct devring_slot_state {
	struct list_head node;	/* in devring_ring.idle while neither out nor being zeroed */
	u64 sequence;		/* of the frame in it, while live */
	u32 holds;		/* readers that hold the frame */
	u32 kept;		/* lossless ones among them */
	bool out;		/* the producer has it */
	bool live;		/* readers may be given the frame */
	bool dirty;		/* may hold something that a new reader must not see */
	bool stale;		/* was taken while nobody read, and is still to be zeroed */
};

/**
 * struct devring_ring - one generation: its pages and the state of its slots
 * @refs: references: its device's, and that of each dma-buf
 * @geometry: constant
 * @pages: index, metadata and slots, one entry a page, constant
 * @nr_pages: their number
 * @user: whose quota of bytes it is charged to, referenced
 * @slots: state of each slot; devring_dev.lock, as all that follows
 * @by_entry: slot that index entry e names, or %DEVRING_NO_SLOT
 * @idle: slots that can be taken, oldest frame first, held ones among them
 * @tail: no frame below this sequence is live
 * @out: slots that the producer has
 * @held: slots that are held and not out
 * @zeroing: slots that are being zeroed, neither out nor idle
 * @needed: highest out + held + 2 ever
 * @partial: slot whose frame is partial, or %DEVRING_NO_SLOT
 * @expires: jiffies; when an old generation goes even if held
 */
struct devring_ring {
	refcount_t refs;
	struct devring_geometry geometry;
	struct page **pages;
	unsigned long nr_pages;
	struct devring_user *user;
	struct devring_slot_state *slots;
	u32 *by_entry;
	struct list_head idle;
	u64 tail;
	u32 out;
	u32 held;
	u32 zeroing;
	u32 needed;
	u32 partial;
	unsigned long expires;
};

#define DEVRING_NO_SLOT		U32_MAX

/* A frame that a reader holds. */
struct devring_hold {
	struct devring_ring *ring;
	u64 sequence;
	u32 slot;
};

/**
 * struct devring_file - an open file of a device: a reader, or the producer
 * @dev: its device, referenced
 * @inode: an inode of its own, so that its maps can be zapped alone; f_mapping points there from open on
 * @node: in devring_dev.files, or, revoked, in @ended; mutex and lock to change, either to walk
 * @producer: role, constant
 * @parent: file that it was granted from, until that goes; mutex
 * @granted_from: id of the file that GRANT made it from, constant; 0: it did not come from one
 * @expires: when its access ends, CLOCK_BOOTTIME, constant; 0: never
 * @filp: the open file of a node, for its credentials, constant; NULL if it came otherwise
 * @charged: counts against its user's readers, constant once joined
 * @revoked: no more access; written under mutex, map_sem and lock, read under any
 * @scrap: producer: page that its maps show once they may not show slots any more
 * @user: who opened it; @uid likewise
 * @id: number, never used again
 * @open_pid: who opened it, constant
 * @cgroup: cgroup of who opened it, constant
 * @since: when, CLOCK_BOOTTIME
 * @last_pid: who last read or polled; lock, as all that follows
 * @map_pid: who last mapped
 * @active: counts as a reader; written under mutex and lock
 * @flags: DEVRING_READER_*
 * @holds_max: frames that may be held at once
 * @nr_holds: frames that are held
 * @holds: which, oldest first
 * @broken: a hold was broken that the reader was not told of
 * @broken_sequence: up to which sequence
 * @start: where it is to start, until it is active; @start_sequence belongs to it
 * @cursor: next sequence it wants
 * @scanned: with KEY_ONLY: no key frame is below this sequence
 * @partial_told: bytes of the partial frame at @cursor that it was told of
 * @wake_frames: it is woken once so many were committed; 0 or 1: by each
 * @wake_interval: nanoseconds from one wake to the next, or 0
 * @wake_at: not before, CLOCK_MONOTONIC
 * @waits_alone: it waits in @wait, not with all: it has, or had, a filter
 * @wait_node: in devring_dev.alone
 * @wait: its own queue
 * @deadline: lossless: how long the producer waits for it, nanoseconds
 * @privileged: lossless: its user may have more than others
 * @demoted: it was too late, and was not told yet
 * @delivered: frames delivered whole
 * @lost: frames not delivered
 * @told_generation: generation it was told of
 * @told_state: devring_dev.state_count it was told of
 * @told_format: format generation it was told of
 * @told_producers: devring_dev.producers it was told of (sinks)
 * @told_end: was told REMOVED: end of file
 * @told_readers: producer: devring_dev.active_count it was told of
 */
struct devring_file {
	struct devring_dev *dev;
	struct inode *inode;
	struct list_head node;
	bool producer;
	struct devring_file *parent;
	u64 granted_from;
	u64 expires;
	struct file *filp;
	bool charged;
	bool revoked;
	struct page *scrap;
	struct devring_user *user;
	kuid_t uid;
	u64 id;
	struct pid *open_pid;
	u64 cgroup;
	u64 since;

	struct pid *last_pid;
	struct pid *map_pid;
	bool active;
	u32 flags;
	u32 holds_max;
	u32 nr_holds;
	struct devring_hold holds[DEVRING_HOLDS_MAX];
	bool broken;
	u64 broken_sequence;
	u32 start;
	u64 start_sequence;
	u64 cursor;
	u64 scanned;
	u32 partial_told;
	u32 wake_frames;
	u64 wake_interval;
	u64 wake_at;
	bool waits_alone;
	struct list_head wait_node;
	struct wait_queue_head wait;
	u64 deadline;
	bool privileged;
	bool demoted;
	u64 delivered;
	u64 lost;
	u32 told_generation;
	u32 told_state;
	u32 told_format;
	u32 told_producers;
	bool told_end;
	u32 told_readers;
};

#define DEVRING_CHANGE_BITS	6

/**
 * struct devring_dev - a device
 * @dev: its node in the driver model, and its reference count
 * @id: number, never used again; this and all up to @registered_real are constant
 * @type: enum devring_type
 * @flags: DEVRING_REG_*
 * @deadline_ms: the most that a lossless reader may ask for
 * @minor: N of /dev/devringN
 * @name: as registered; @link, @label, @stable_id and @path_id likewise
 * @user: registrant, for quota and rights
 * @registrant_pid: registrant
 * @registered: CLOCK_BOOTTIME
 * @registered_real: CLOCK_REALTIME
 * @header_page: first page of its file, constant; @header is what it holds, written under @lock
 * @change_node: in changes.c's list, under its lock; @change and @changed_at likewise
 * @mutex: covers set-up: lease, producer, rings, files, activation
 * @map_sem: covers what maps show: @ring, @old, devring_file.revoked
 * @lock: covers the data path: rings' slots, readers' cursors and holds, and all members below
 * @files: its open files; @mutex and @lock to change, either to walk
 * @ended: those that were revoked, which nobody walks: they only wait to be closed
 * @lease: file whose end is the end of the registration: the producer's, of a sink its reader's
 * @producer: file that fills slots, or NULL
 * @producer_pid: who has it
 * @producer_uid: who has it
 * @producers: how many there have been, changes of a sink's producer included
 * @ring: generation in force; written under mutex, map_sem and lock, read under any; @old likewise
 * @old: generation before, while a hold names it
 * @geometry: of the last ring, to make the next like it
 * @generation: number of the last generation
 * @head: sequence of the next frame
 * @key_head: sequence behind the newest key frame
 * @state: enum devring_state; @error its errno
 * @state_count: changes of state, to tell readers once
 * @state_time: when state or format last changed
 * @format: in force
 * @active: readers that read, poll or map
 * @active_count: how often one became that or ceased to be it, to tell the producer
 * @opens: open readers
 * @used: when a reader last became active, CLOCK_BOOTTIME
 * @holds_broken: how many
 * @lossless: how many lossless readers
 * @keep_from: the first frame that one of them is still to get
 * @stalled_at: since when the producer waits because of them, CLOCK_MONOTONIC; 0: it does not
 * @refused: it could have no slot, and is to be told when it can
 * @resumed_at: when it was told, CLOCK_MONOTONIC; 0: it was not, or took one
 * @demoted: users who had their time since this producer came; @nr_demoted of them
 * @bytes: memory of both rings
 * @added: device_add() was done; under mutex
 * @gone: removed; written under the registry lock and lock, read under any or none
 * @alone: readers that wait alone
 * @alone_head: none of them is due before @head is so much,
 * @alone_key: or @key_head so much,
 * @alone_at: or it is so late, CLOCK_MONOTONIC
 * @reader_wait: all other readers; woken for frames and news
 * @producer_wait: the producer; woken for news
 * @tidy: zeroes or frees what outlived its time
 * @offline_expires: jiffies, when what an absent producer left goes; 0 if nothing is due
 * @expire: ends the access of files whose time is over
 * @pace: wakes readers that asked not to be woken so often
 * @late: ends the time of lossless readers
 * @announce: tells udev and listeners, at most ten times a second
 * @announced: jiffies of the last time
 * @news: DEVRING_CHANGED_* to be announced
 */
struct devring_dev {
	struct device dev;
	u64 id;
	u32 type;
	u32 flags;
	u32 deadline_ms;
	u32 minor;
	char name[DEVRING_NAME_SIZE];
	char link[DEVRING_LINK_SIZE];
	char label[DEVRING_LABEL_SIZE];
	char stable_id[DEVRING_ID_SIZE];
	char path_id[DEVRING_ID_SIZE];
	struct devring_user *user;
	struct pid *registrant_pid;
	u64 registered;
	u64 registered_real;
	struct page *header_page;
	struct devring_header *header;

	struct list_head change_node;
	u64 change;
	u64 changed_at[DEVRING_CHANGE_BITS];

	struct mutex mutex;
	struct rw_semaphore map_sem;
	spinlock_t lock;

	struct list_head files;
	struct list_head ended;
	struct devring_file *lease;
	struct devring_file *producer;
	struct pid *producer_pid;
	kuid_t producer_uid;
	u32 producers;
	struct devring_ring *ring;
	struct devring_ring *old;
	struct devring_geometry geometry;
	u32 generation;
	u64 head;
	u64 key_head;
	u32 state;
	int error;
	u32 state_count;
	u64 state_time;
	struct devring_format format;
	u32 active;
	u32 active_count;
	u32 opens;
	u64 used;
	u64 holds_broken;
	u32 lossless;
	u64 keep_from;
	u64 stalled_at;
	bool refused;
	u64 resumed_at;
	u32 nr_demoted;
	kuid_t demoted[DEVRING_DEMOTED_MAX];
	u64 bytes;
	bool added;
	bool gone;

	struct list_head alone;
	u64 alone_head;
	u64 alone_key;
	u64 alone_at;
	wait_queue_head_t reader_wait;
	wait_queue_head_t producer_wait;
	struct delayed_work tidy;
	unsigned long offline_expires;
	struct delayed_work expire;
	struct delayed_work pace;
	struct delayed_work late;
	struct delayed_work announce;
	unsigned long announced;
	u32 news;
};

static inline struct devring_dev *to_devring(const struct device *dev)
{
	return container_of(dev, struct devring_dev, dev);
}

static inline bool devring_is_sink(const struct devring_dev *dev)
{
	return dev->flags & DEVRING_REG_SINK;
}

/* Does @file answer for the ring: the producer's, of a sink its reader's? */
static inline bool devring_is_lease(const struct devring_file *file)
{
	return file->producer != devring_is_sink(file->dev);
}

static inline bool devring_has_files(const struct devring_dev *dev)
{
	return !list_empty(&dev->files) || !list_empty(&dev->ended);
}

/* The index entry of a sequence, in the kernel's own mapping. */
static inline struct devring_entry *devring_entry(const struct devring_ring *ring, u64 sequence)
{
	size_t at = (sequence & (ring->geometry.entries - 1)) * DEVRING_ENTRY_STRIDE;

	return page_address(ring->pages[at >> PAGE_SHIFT]) + offset_in_page(at);
}

/* The slot that the index entry of a sequence names, or %DEVRING_NO_SLOT. */
static inline u32 *devring_named_by(const struct devring_ring *ring, u64 sequence)
{
	return &ring->by_entry[sequence & (ring->geometry.entries - 1)];
}

/* Can the frame @sequence be given to a reader? */
static inline bool devring_frame_live(const struct devring_ring *ring, u64 sequence)
{
	u32 slot = *devring_named_by(ring, sequence);

	return slot != DEVRING_NO_SLOT && ring->slots[slot].live && ring->slots[slot].sequence == sequence;
}

/* The producer has the slot no longer. */
static inline void devring_slot_idle(struct devring_ring *ring, struct devring_slot_state *state)
{
	list_add_tail(&state->node, &ring->idle);
	state->out = false;
	ring->out--;
	ring->held += !!state->holds;
}

static inline bool devring_producer_is_dead(const struct devring_file *file)
{
	lockdep_assert_held(&file->dev->lock);
	return file->revoked || file->dev->gone;
}

/* Where @file waits. */
static inline struct wait_queue_head *devring_wake_queue(struct devring_file *file)
{
	return READ_ONCE(file->waits_alone) ? &file->wait : &file->dev->reader_wait;
}

/* May no more slots be out? */
static inline bool devring_ring_is_full(const struct devring_dev *dev)
{
	return !dev->ring || dev->ring->out >= dev->ring->geometry.slots - 2;
}

/* Does any reader wait with all others? */
static inline bool devring_somebody_waits(const struct devring_dev *dev)
{
	/* Needs no barrier: who starts to wait queues first, and then looks under the lock that the caller had. */
	return waitqueue_active((struct wait_queue_head *)&dev->reader_wait);
}

/* Can what was committed until @now, since the last walk, have made anybody due who waits alone? */
static inline bool devring_is_time(const struct devring_dev *dev, u64 now)
{
	lockdep_assert_held(&dev->lock);
	return !list_empty(&dev->alone) &&
	       (dev->head >= dev->alone_head || dev->key_head >= dev->alone_key || now >= dev->alone_at);
}

/* Has the access of @file ended?  Asked at every entry and fault, so that no timer needs to be exact. */
static inline bool devring_file_is_dead(const struct devring_file *file)
{
	return READ_ONCE(file->revoked) || (file->expires && ktime_get_boottime_ns() >= file->expires);
}

/* main.c */
extern struct class *devring_class;
extern dev_t devring_devt;
extern struct page *devring_zero_page;
extern struct workqueue_struct *devring_wq;
extern const struct file_operations devring_file_fops;
struct inode *devring_inode_new(void);

/**
 * struct devring_call - one ioctl
 * @nr: its number
 * @size: bytes of its argument
 * @out: the argument is also the answer
 * @fn: carries it out, or
 * @make: makes a file whose descriptor is the answer, too
 */
struct devring_call {
	unsigned int nr;
	size_t size;
	bool out;
	long (*fn)(struct file *filp, void *arg);
	struct file *(*make)(struct file *filp, void *arg);
};

long devring_ioctl(struct file *filp, const struct devring_call *calls, unsigned int cmd, unsigned long arg);

/* user.c */
struct devring_user *devring_user_get(kuid_t uid);
void devring_user_hold(struct devring_user *user);
void devring_user_put(struct devring_user *user);
int devring_charge(struct devring_user *user, enum devring_quota what, u64 amount);
void devring_uncharge(struct devring_user *user, enum devring_quota what, u64 amount);
void devring_user_info(kuid_t uid, struct devring_info *info);
int devring_count_registration(struct devring_user *user);
void devring_user_init(void);
void devring_user_exit(void);

/* changes.c */
void devring_changes_add(struct devring_dev *dev);
void devring_changes_mark(struct devring_dev *dev, u32 changed);
void devring_changes_remove(struct devring_dev *dev);
u64 devring_changes_last(void);
int devring_listener_open(struct file *filp);
void devring_listener_release(struct file *filp);
ssize_t devring_listener_read(struct file *filp, struct iov_iter *to, bool nonblock);
__poll_t devring_listener_poll(struct file *filp, poll_table *wait);

/* control.c */
int devring_control_init(void);
void devring_control_exit(void);

/* device.c */
struct devring_dev *devring_dev_find(u64 id, bool next);
struct devring_dev *devring_dev_by_minor(unsigned int minor);
struct devring_dev *devring_dev_new(const struct devring_register *reg, bool system, kuid_t uid);
int devring_dev_publish(struct devring_dev *dev);
int devring_dev_add(struct devring_dev *dev);
void devring_dev_remove(struct devring_dev *dev);
void devring_dev_remove_all(void);
void devring_dev_expire_all(void);
void devring_dev_count(struct devring_info *info);
void devring_dev_fill(struct devring_dev *dev, struct devring_device *out);
bool devring_dev_may_manage(const struct devring_dev *dev);
bool devring_pid_is_here(struct pid *pid);
pid_t devring_pid_here(struct pid *pid);
void devring_dev_write_header(struct devring_dev *dev);
void devring_dev_set_state(struct devring_dev *dev, u32 state, int error);
void devring_dev_announce(struct devring_dev *dev, u32 changed);
void devring_dev_tidy_in(struct devring_dev *dev, unsigned long delay);
void devring_dev_expire_in(struct devring_dev *dev, u64 ns);
void devring_dev_pace_in(struct devring_dev *dev, u64 ns);
void devring_dev_late_in(struct devring_dev *dev, u64 ns);
void devring_dev_cancel_works(struct devring_dev *dev);

/* sysfs.c */
extern const struct attribute_group *devring_dev_groups[];
extern const struct attribute_group *devring_control_groups[];
int devring_dev_uevent(devring_const_device *device, struct kobj_uevent_env *env);
const char *devring_state_name(u32 state);

/* ring.c */
int devring_geometry_plan(struct devring_geometry *geometry);
struct devring_ring *devring_ring_new(const struct devring_geometry *plan, struct devring_user *user);
void devring_ring_get(struct devring_ring *ring);
void devring_ring_put(struct devring_ring *ring);
void devring_ring_install(struct devring_dev *dev, struct devring_ring *ring);
void devring_ring_tidy(struct devring_dev *dev);
void devring_ring_scrub(struct devring_dev *dev);
void devring_slot_freshen(struct devring_dev *dev, u32 slot);

/* slot.c */
void devring_slot_retire(struct devring_ring *ring, u32 slot);
bool devring_slot_can_take(const struct devring_dev *dev);
int devring_slot_take(struct devring_dev *dev, u32 *taken);
void devring_slot_untake(struct devring_ring *ring, u32 slot);
void devring_slot_end_partial(struct devring_ring *ring);
void devring_slots_recall(struct devring_ring *ring);
void devring_hold_add(struct devring_file *file, struct devring_ring *ring, u32 slot, u64 sequence);
void devring_hold_drop(struct devring_file *file, u32 i);
void devring_holds_trim(struct devring_file *file, u32 max);
void devring_holds_break(struct devring_dev *dev, struct devring_ring *ring);

/* access.c */
void devring_file_revoke(struct devring_file *file);
bool devring_may_still_open(const struct devring_file *file);
void devring_grants_end(struct devring_file *file);
void devring_files_sweep(struct devring_dev *dev);
void devring_files_expire(struct devring_dev *dev);
struct file *devring_grant(struct file *filp, void *arg);
long devring_revoke(struct file *filp, void *arg);

/* file.c */
struct devring_file *devring_file_new(struct devring_dev *dev, bool producer);
int devring_file_join(struct devring_file *file, bool takeover);
void devring_file_leave(struct devring_file *file);
struct file *devring_file_get(struct devring_file *file, bool takeover, int flags);
void devring_file_touch(struct devring_file *file, struct pid **which);
void devring_file_lose_producer(struct devring_file *file);

/* commit.c */
ssize_t devring_write(struct file *filp, const char __user *user, size_t size, loff_t *pos);
ssize_t devring_write_iter(struct kiocb *iocb, struct iov_iter *iter);

/* producer.c */
ssize_t devring_producer_read(struct devring_file *file, struct devring_buf *to);
__poll_t devring_producer_poll(struct devring_file *file, struct file *filp, poll_table *wait);
long devring_set_ring(struct file *filp, void *arg);
long devring_set_format(struct file *filp, void *arg);
long devring_set_state(struct file *filp, void *arg);

/* reader.c */
bool devring_reader_activate(struct devring_file *file, bool may_wait);
void devring_reader_deactivate(struct devring_file *file);
ssize_t devring_reader_read(struct devring_file *file, struct devring_buf *to, bool nonblock);
__poll_t devring_reader_poll(struct devring_file *file, struct file *filp, poll_table *wait);
long devring_set_reader(struct file *filp, void *arg);
long devring_release(struct file *filp, void *arg);
long devring_list_readers(struct file *filp, void *arg);
bool devring_reader_is_due(struct devring_file *file);

/* wake.c */
bool devring_wake_held_back(struct devring_file *file);
void devring_wake_due(struct devring_file *file);
void devring_wake_expect(struct devring_file *file);
void devring_wake_told(struct devring_file *file);
void devring_wake_set(struct devring_file *file, const struct devring_set_reader *set);
void devring_wake_readers(struct devring_dev *dev);
void devring_wake_frames(struct devring_dev *dev);
void devring_wake_alone(struct devring_dev *dev);
void devring_wake_paced(struct devring_dev *dev);
void devring_wake_producer(struct devring_dev *dev);
void devring_wake_all(struct devring_dev *dev);

/* lossless.c */
bool devring_lossless_keeps(const struct devring_dev *dev, const struct devring_slot_state *state);
void devring_lossless_stall(struct devring_dev *dev);
void devring_lossless_go_on(struct devring_dev *dev);
void devring_lossless_served(struct devring_dev *dev);
void devring_lossless_settle(struct devring_dev *dev);
void devring_lossless_end(struct devring_file *file);
void devring_lossless_expire(struct devring_dev *dev);
int devring_lossless_check(const struct devring_file *file, const struct devring_set_reader *set, bool privileged,
			   u64 *deadline);
void devring_lossless_set(struct devring_file *file, u64 deadline, bool privileged);

/* export.c */
#if IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)
struct file *devring_export(struct file *filp, void *arg);
#else
static inline struct file *devring_export(struct file *filp, void *arg)
{
	return ERR_PTR(-EOPNOTSUPP);
}
#endif

/* map.c */
int devring_mmap(struct file *filp, struct vm_area_struct *vma);
ssize_t devring_file_pread(struct devring_file *file, loff_t pos, struct devring_buf *to);

#endif /* DEVRING_CORE_H */
