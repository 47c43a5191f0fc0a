// SPDX-License-Identifier: GPL-2.0-only
/* What a reader gets: frames, news, and who else reads. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "core.h"
#include "trace.h"

#define FRAMES_PER_READ	64

union reader_record {
	struct devring_record rec;
	struct devring_frame frame;
	struct devring_generation generation;
	struct devring_state_change state;
};

enum due { DUE_NOTHING, DUE_GENERATION, DUE_STATE, DUE_FRAME, DUE_END };

/* Moves the ring's tail up to the oldest frame there is. */
static void advance_tail(struct devring_dev *dev)
{
	struct devring_ring *ring = dev->ring;

	/* What the index has no entry for any more cannot be live. */
	if (dev->head - ring->tail > ring->geometry.entries)
		ring->tail = dev->head - ring->geometry.entries;
	while (ring->tail < dev->head && !devring_frame_live(ring, ring->tail))
		ring->tail++;
}

/* Does @file want no frame like @sequence? */
static bool is_skipped(const struct devring_file *file, const struct devring_ring *ring, u64 sequence)
{
	return file->flags & DEVRING_READER_KEY_ONLY && !(devring_entry(ring, sequence)->flags & DEVRING_FRAME_KEY);
}

/* May @file be given the frame @sequence as it is now? */
static bool is_deliverable(const struct devring_file *file, const struct devring_ring *ring, u64 sequence)
{
	if (!devring_frame_live(ring, sequence) || is_skipped(file, ring, sequence))
		return false;
	if (ring->partial == DEVRING_NO_SLOT || ring->slots[ring->partial].sequence != sequence)
		return true;
	return file->flags & DEVRING_READER_PARTIAL &&
	       (sequence != file->cursor || devring_entry(ring, sequence)->bytes > file->partial_told);
}

/* Is a frame due?  The one that @file is to get comes back in @sequence. */
static bool find_frame(struct devring_file *file, u64 *sequence)
{
	struct devring_dev *dev = file->dev;
	struct devring_ring *ring = dev->ring;
	u64 at;

	lockdep_assert_held(&dev->lock);
	if (!ring || file->cursor >= (file->flags & DEVRING_READER_KEY_ONLY ? dev->key_head : dev->head))
		return false;
	*sequence = file->flags & DEVRING_READER_LATEST ? dev->head - 1 : file->cursor;
	if (is_deliverable(file, ring, *sequence))
		return true;
	advance_tail(dev);
	at = max(file->cursor, ring->tail);
	if (file->flags & DEVRING_READER_LATEST) {
		for (*sequence = dev->head; (*sequence)-- > at;)
			if (is_deliverable(file, ring, *sequence))
				return true;
		return false;
	}
	at = max(at, file->scanned);
	while (at < dev->head && (!devring_frame_live(ring, at) || is_skipped(file, ring, at)))
		at++;
	/* A partial frame may become a key frame yet. */
	file->scanned = at - (at == dev->head && ring->partial != DEVRING_NO_SLOT);
	*sequence = at;
	return at < dev->head && is_deliverable(file, ring, at);
}

static u32 state_news(const struct devring_file *file)
{
	const struct devring_dev *dev = file->dev;

	return (file->told_state != dev->state_count ? DEVRING_CHANGED_STATE : 0) |
	       (file->told_format != dev->format.generation ? DEVRING_CHANGED_FORMAT : 0) |
	       (devring_is_sink(dev) && file->told_producers != dev->producers ? DEVRING_CHANGED_PRODUCER : 0);
}

/* What comes next: the ring before its frames, news before them too, but the end after all. */
static enum due what_is_due(struct devring_file *file, u64 *sequence)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->lock);
	if (dev->ring && file->told_generation != dev->ring->geometry.generation)
		return DUE_GENERATION;
	if (dev->state != DEVRING_STATE_REMOVED && state_news(file))
		return DUE_STATE;
	if (find_frame(file, sequence))
		return DUE_FRAME;
	if (dev->state == DEVRING_STATE_REMOVED)
		return file->told_end ? DUE_END : DUE_STATE;
	return DUE_NOTHING;
}

/* Is there anything that @file, whose access has not ended, waits for? */
static bool is_due(struct devring_file *file)
{
	u64 sequence;
	enum due due = what_is_due(file, &sequence);

	if (likely(!file->waits_alone))
		return due != DUE_NOTHING;
	if (due == DUE_FRAME && devring_wake_held_back(file))
		return false;
	if (due == DUE_NOTHING)
		devring_wake_expect(file);
	else
		devring_wake_due(file);
	return due != DUE_NOTHING;
}

/* Is there anything that @file waits for? */
bool devring_reader_is_due(struct devring_file *file)
{
	return devring_file_is_dead(file) || is_due(file);
}

/* @file got the frame: hold it, and go on behind it unless it is to grow. */
static void got_frame(struct devring_file *file, const struct devring_frame *frame)
{
	trace_devring_frame(file, frame->sequence);
	/* Before it is passed: in between a lossless reader would not keep it. */
	devring_hold_add(file, file->dev->ring, frame->slot, frame->sequence);
	file->broken = false;
	file->demoted = false;
	file->lost += frame->lost;
	if (frame->flags & DEVRING_FRAME_PARTIAL) {
		file->cursor = frame->sequence;
		file->partial_told = frame->bytes;
	} else {
		file->cursor = frame->sequence + 1;
		file->partial_told = 0;
		file->delivered++;
	}
	devring_wake_told(file);
}

/* Each of these hands out one record, and returns its size or an error: it counts only once it has arrived. */
static ssize_t give_frame(struct devring_file *file, u64 sequence, struct devring_buf *to)
{
	const struct devring_ring *ring = file->dev->ring;
	const struct devring_geometry *geometry = &ring->geometry;
	const struct devring_entry *entry = devring_entry(ring, sequence);
	u32 slot = *devring_named_by(ring, sequence);
	struct devring_frame frame = {
		.rec.size = sizeof(frame),
		.rec.kind = DEVRING_RECORD_FRAME,
		.rec.flags = (file->demoted ? DEVRING_RECORD_F_DEMOTED : 0) |
			     (file->broken ? DEVRING_RECORD_F_HOLD_BROKEN : 0),
		.sequence = sequence,
		.offset = geometry->slots_offset + (u64)slot * geometry->slot_stride,
		.metadata_offset = geometry->metadata_offset + (u64)slot * geometry->metadata_stride,
		.lost = sequence - file->cursor,
		.generation = geometry->generation,
		.slot = slot,
		.bytes = entry->bytes,
		.flags = entry->flags,
		.capture_ns = entry->capture_ns,
		.commit_ns = entry->commit_ns,
		.media_time = entry->media_time,
		.trace_id = entry->trace_id,
		.format_generation = entry->format_generation,
		.lost_before = entry->lost_before,
		.broken_sequence = file->broken ? file->broken_sequence : 0,
	};

	if (to->left < sizeof(frame))
		return -EINVAL;
	if (!devring_buf_put(to, &frame, sizeof(frame)))
		return -EFAULT;
	got_frame(file, &frame);
	return sizeof(frame);
}

static ssize_t give_generation(struct devring_file *file, struct devring_buf *to)
{
	const struct devring_ring *ring = file->dev->ring;
	struct devring_generation generation = {
		.rec.size = sizeof(generation),
		.rec.kind = DEVRING_RECORD_GENERATION,
		.geometry = ring->geometry,
		.head = ring->tail,
	};

	if (to->left < sizeof(generation))
		return -EINVAL;
	if (!devring_buf_put(to, &generation, sizeof(generation)))
		return -EFAULT;
	file->told_generation = ring->geometry.generation;
	return sizeof(generation);
}

static ssize_t give_state(struct devring_file *file, struct devring_buf *to)
{
	const struct devring_dev *dev = file->dev;
	struct devring_state_change state = {
		.rec.size = sizeof(state),
		.rec.kind = DEVRING_RECORD_STATE,
		.state = dev->state,
		.error = dev->error,
		.changed = state_news(file),
		.format_generation = dev->format.generation,
		.time_ns = dev->state_time,
	};

	if (to->left < sizeof(state))
		return -EINVAL;
	if (!devring_buf_put(to, &state, sizeof(state)))
		return -EFAULT;
	file->told_state = dev->state_count;
	file->told_format = dev->format.generation;
	file->told_producers = dev->producers;
	file->told_end = dev->state == DEVRING_STATE_REMOVED;
	return sizeof(state);
}

static ssize_t give(struct devring_file *file, enum due due, u64 sequence, struct devring_buf *to)
{
	if (likely(due == DUE_FRAME))
		return give_frame(file, sequence, to);
	return due == DUE_GENERATION ? give_generation(file, to) : give_state(file, to);
}

/*
 * Hands out what is due and fits, as many frames as can be held.  Record by record is copied under the lock, with
 * page faults off: a read() that fails changes nothing.
 */
static ssize_t drain(struct devring_file *file, struct devring_buf *to)
{
	u32 frames = 0, frames_max = file->holds_max ?: FRAMES_PER_READ;
	ssize_t ret, done = 0;
	u64 sequence = 0;
	enum due due;

	lockdep_assert_held(&file->dev->lock);
	if (devring_file_is_dead(file))
		return -ENODEV;
	for (;;) {
		due = what_is_due(file, &sequence);
		if (due == DUE_END)
			return done;
		if (due == DUE_NOTHING)
			return done ?: -EAGAIN;
		if (due == DUE_FRAME && frames++ == frames_max)
			return done;
		ret = give(file, due, sequence, to);
		if (ret < 0)
			return done ?: ret;
		done += ret;
		if (to->left < sizeof(struct devring_record))
			return done;
	}
}

/* Drains into @to what @file is to be woken for, or, if it does not wait, all there is; false if that is nothing. */
static bool drain_due(struct devring_file *file, struct devring_buf *to, bool nonblock, ssize_t *ret)
{
	spin_lock(&file->dev->lock);
	*ret = nonblock || !file->waits_alone || devring_reader_is_due(file) ? drain(file, to) : -EAGAIN;
	/* What others hold may be taken for a producer's sake, the more of it the less is left. */
	if (*ret > 0 && (file->flags & DEVRING_READER_LOSSLESS || file->dev->refused))
		devring_lossless_settle(file->dev);
	spin_unlock(&file->dev->lock);
	return *ret != -EAGAIN;
}

/*
 * Sleeps until there is something to drain.  Who is woken looks at once, and leaves the queue when it has something:
 * wait_event() would have it enqueue once more before it looks.  Draining takes a spinlock and touches pages that
 * are there, so it can be done on the way to sleep.
 */
static ssize_t wait_and_drain(struct devring_file *file, struct devring_buf *to)
{
	struct wait_queue_head *queue = devring_wake_queue(file);
	DECLARE_WAITQUEUE(wait, current);
	ssize_t ret;

	add_wait_queue(queue, &wait);
	for (;;) {
		/* Pairs with the lock that whoever wakes us has released: enqueue first, then look. */
		set_current_state(TASK_INTERRUPTIBLE);
		if (drain_due(file, to, false, &ret))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(queue, &wait);
	return ret;
}

/* The caller reads: from the first time on @file counts as a reader. */
static void join_in(struct devring_file *file)
{
	if (unlikely(!READ_ONCE(file->active)))
		devring_reader_activate(file, true);
	if (unlikely(READ_ONCE(file->last_pid) != task_tgid(current)))
		devring_file_touch(file, &file->last_pid);
}

ssize_t devring_reader_read(struct devring_file *file, struct devring_buf *to, bool nonblock)
{
	ssize_t ret;

	join_in(file);
	for (;;) {
		if (!drain_due(file, to, nonblock, &ret) && !nonblock)
			ret = wait_and_drain(file, to);
		if (ret != -EFAULT)
			return ret;
		if (!devring_buf_fault_in(to, sizeof(union reader_record)))
			return -EFAULT;
		if (signal_pending(current))
			return -ERESTARTSYS;
	}
}

__poll_t devring_reader_poll(struct devring_file *file, struct file *filp, poll_table *wait)
{
	struct devring_dev *dev = file->dev;
	__poll_t mask = 0;

	if (poll_requested_events(wait) & (EPOLLIN | EPOLLRDNORM))
		join_in(file);
	poll_wait(filp, devring_wake_queue(file), wait);
	/* Pairs with the lock that whoever wakes us has released: enqueue first, then look. */
	smp_mb();
	spin_lock(&dev->lock);
	if (devring_file_is_dead(file)) {
		mask = EPOLLHUP | EPOLLERR;
	} else {
		if (is_due(file))
			mask = EPOLLIN | EPOLLRDNORM;
		if (dev->state == DEVRING_STATE_REMOVED)
			mask |= EPOLLHUP;
	}
	spin_unlock(&dev->lock);
	return mask;
}

/* Puts the cursor where @file is to start. */
static void place_cursor(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;
	struct devring_ring *ring = dev->ring;
	u64 at = dev->head;

	lockdep_assert_held(&dev->lock);
	if (ring)
		advance_tail(dev);
	if (file->start == DEVRING_START_SEQUENCE) {
		at = file->start_sequence;
	} else if (ring && file->start == DEVRING_START_OLDEST) {
		at = ring->tail;
	} else if (ring && file->start == DEVRING_START_NEWEST) {
		while (at > ring->tail && !devring_frame_live(ring, at - 1))
			at--;
		at = at > ring->tail ? at - 1 : dev->head;
	}
	file->cursor = at;
	file->scanned = 0;
	file->partial_told = 0;
}

/* Is @file a reader that neither read, polled nor mapped yet? */
static bool is_new(const struct devring_file *file)
{
	return !file->producer && !READ_ONCE(file->active) && !devring_file_is_dead(file);
}

/*
 * From the first read, poll or map on @file counts as a reader: the producer is told, and captures.  False if @file
 * would have to wait for somebody who sets up the device, and may not.
 */
bool devring_reader_activate(struct devring_file *file, bool may_wait)
{
	struct devring_dev *dev = file->dev;
	bool first = false;

	if (!is_new(file))
		return true;
	if (may_wait)
		mutex_lock(&dev->mutex);
	else if (!mutex_trylock(&dev->mutex))
		return false;
	if (is_new(file)) {
		if (!dev->active)
			devring_ring_scrub(dev);
		spin_lock(&dev->lock);
		place_cursor(file);
		WRITE_ONCE(file->active, true);
		if (file->flags & DEVRING_READER_LOSSLESS)
			devring_lossless_settle(dev);
		first = !dev->active;
		WRITE_ONCE(dev->active, dev->active + 1);
		dev->active_count++;
		dev->used = ktime_get_boottime_ns();
		spin_unlock(&dev->lock);
	}
	mutex_unlock(&dev->mutex);
	devring_wake_producer(dev);
	if (first)
		devring_dev_announce(dev, DEVRING_CHANGED_IN_USE);
	return true;
}

/* @file counts no longer; after the last one nothing is left to be seen. */
void devring_reader_deactivate(struct devring_file *file)
{
	struct devring_dev *dev = file->dev;

	lockdep_assert_held(&dev->mutex);
	if (!file->active)
		return;
	spin_lock(&dev->lock);
	WRITE_ONCE(file->active, false);
	WRITE_ONCE(dev->active, dev->active - 1);
	dev->active_count++;
	spin_unlock(&dev->lock);
	devring_wake_producer(dev);
	if (dev->active)
		return;
	/* What an absent producer left goes with the last who read it. */
	if (dev->lease || dev->flags & DEVRING_REG_KEEP_HISTORY)
		devring_ring_scrub(dev);
	else if (dev->ring)
		devring_ring_install(dev, NULL);
	devring_dev_announce(dev, DEVRING_CHANGED_IN_USE);
}

static int check_set_reader(const struct devring_set_reader *set)
{
	/* Who is to miss nothing has every frame, at once. */
	if (set->flags & DEVRING_READER_LOSSLESS ? set->wake_frames > 1 || set->wake_rate ||
	    set->flags & (DEVRING_READER_LATEST | DEVRING_READER_KEY_ONLY) : set->deadline_ms)
		return -EINVAL;
	if (set->flags & ~(DEVRING_READER_LATEST | DEVRING_READER_PARTIAL | DEVRING_READER_KEY_ONLY |
			   DEVRING_READER_LOSSLESS) ||
	    (set->wake_frames > 1 && set->flags & DEVRING_READER_KEY_ONLY) ||
	    set->start > DEVRING_START_SEQUENCE || set->holds > DEVRING_HOLDS_MAX ||
	    (set->sequence && set->start != DEVRING_START_SEQUENCE) ||
	    memchr_inv(set->reserved, 0, sizeof(set->reserved)))
		return -EINVAL;
	return 0;
}

static u32 extra_holds(u32 holds)
{
	return holds > 1 ? holds - 1 : 0;
}

static void set_reader(struct devring_file *file, const struct devring_set_reader *set)
{
	lockdep_assert_held(&file->dev->lock);
	file->flags = (file->flags & DEVRING_READER_LOSSLESS) | (set->flags & ~DEVRING_READER_LOSSLESS);
	file->holds_max = set->holds;
	file->scanned = 0;
	if (set->start != DEVRING_START_KEEP) {
		file->start = set->start;
		file->start_sequence = set->sequence;
		if (file->active)
			place_cursor(file);
	}
	devring_holds_trim(file, set->holds);
	devring_wake_set(file, set);
}

long devring_set_reader(struct file *filp, void *arg)
{
	bool privileged = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	struct devring_file *file = filp->private_data;
	const struct devring_set_reader *set = arg;
	struct devring_dev *dev = file->dev;
	u32 before, after;
	u64 deadline;
	long ret;

	if (file->producer)
		return -EACCES;
	ret = check_set_reader(set);
	if (ret)
		return ret;
	mutex_lock(&dev->mutex);
	before = extra_holds(file->holds_max);
	after = extra_holds(set->holds);
	/* What is more is charged first, what is less is given back last. */
	if (devring_file_is_dead(file) || dev->gone)
		ret = -ENODEV;
	else if (after > before)
		ret = devring_charge(file->user, DEVRING_QUOTA_HOLDS, after - before);
	if (ret)
		goto out;
	spin_lock(&dev->lock);
	ret = devring_lossless_check(file, set, privileged, &deadline);
	if (!ret) {
		set_reader(file, set);
		devring_lossless_set(file, deadline, privileged);
	}
	spin_unlock(&dev->lock);
	if (ret && after > before)
		devring_uncharge(file->user, DEVRING_QUOTA_HOLDS, after - before);
	else if (!ret && before > after)
		devring_uncharge(file->user, DEVRING_QUOTA_HOLDS, before - after);
out:
	mutex_unlock(&dev->mutex);
	return ret;
}

long devring_release(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	const struct devring_release *release = arg;
	long ret = -ENOENT;
	u32 i;

	if (file->producer)
		return -EACCES;
	if (release->flags)
		return -EINVAL;
	spin_lock(&file->dev->lock);
	for (i = 0; i < file->nr_holds; i++) {
		if (file->holds[i].sequence == release->sequence) {
			devring_hold_drop(file, i);
			ret = 0;
			break;
		}
	}
	if (devring_file_is_dead(file))
		ret = -ENODEV;
	spin_unlock(&file->dev->lock);
	return ret;
}

/* Describes @file to @viewer, with its identity if he may see it. */
static void describe(struct devring_file *file, const struct devring_file *viewer, bool all,
		     struct devring_reader *out)
{
	lockdep_assert_held(&file->dev->lock);
	memset(out, 0, sizeof(*out));
	out->id = file->id;
	out->since_ns = file->since;
	out->delivered = file->delivered;
	out->lost = file->lost;
	out->cursor = file->cursor;
	out->held = file->nr_holds;
	out->expires_ns = file->expires;
	out->granted_from = file->granted_from;
	out->flags = file->flags | (file->active ? DEVRING_READER_IS_ACTIVE : 0) |
		     (file == viewer ? DEVRING_READER_IS_SELF : 0) |
		     (file->granted_from ? DEVRING_READER_IS_GRANTED : 0);
	if (!all && !uid_eq(file->uid, current_euid())) {
		out->flags |= DEVRING_READER_IS_HIDDEN;
		out->uid = from_kuid_munged(current_user_ns(), INVALID_UID);
		return;
	}
	out->open_pid = devring_pid_here(file->open_pid);
	out->last_pid = devring_pid_here(file->last_pid);
	out->map_pid = devring_pid_here(file->map_pid);
	out->uid = from_kuid_munged(current_user_ns(), file->uid);
	/* Nor does a container learn in which cgroup somebody outside is. */
	out->cgroup = devring_pid_is_here(file->open_pid) ? file->cgroup : 0;
}

/* Describes up to @max readers; returns how many there are. */
static u32 describe_all(struct devring_file *viewer, struct devring_reader *readers, u32 max)
{
	struct devring_dev *dev = viewer->dev;
	bool all = uid_eq(current_euid(), dev->user->uid) || ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	struct devring_file *file;
	u32 n = 0;

	spin_lock(&dev->lock);
	all |= devring_is_lease(viewer) && !viewer->revoked;
	list_for_each_entry(file, &dev->files, node) {
		if (file->producer || file->revoked)
			continue;
		if (n < max)
			describe(file, viewer, all, &readers[n]);
		n++;
	}
	spin_unlock(&dev->lock);
	return n;
}

long devring_list_readers(struct file *filp, void *arg)
{
	struct devring_file *file = filp->private_data;
	struct devring_list_readers *list = arg;
	void __user *to = u64_to_user_ptr(list->readers);
	u32 i, n, max = min_t(u32, list->count, DEVRING_READERS_MAX + 1);
	struct devring_reader *readers;
	long ret = 0;

	if (list->flags || list->reader_size < sizeof(*readers))
		return -EINVAL;
	if (list->reader_size > PAGE_SIZE)
		return -E2BIG;
	if (devring_file_is_dead(file))
		return -ENODEV;
	readers = kvcalloc(max ?: 1, sizeof(*readers), GFP_KERNEL);
	if (!readers)
		return -ENOMEM;
	n = describe_all(file, readers, max);
	for (i = 0; i < min(n, max) && !ret; i++, to += list->reader_size) {
		if (copy_to_user(to, &readers[i], sizeof(*readers)) ||
		    clear_user(to + sizeof(*readers), list->reader_size - sizeof(*readers)))
			ret = -EFAULT;
	}
	list->count = n;
	kvfree(readers);
	return ret;
}
