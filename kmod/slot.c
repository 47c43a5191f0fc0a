// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: taken by the producer, held by readers.  All decisions rest on struct devring_slot_state; the index in shared
 * memory is never read for one.
 */
#include "core.h"
#include "trace.h"

/* Takes the frame in @slot, if any, from all who do not hold it already. */
void devring_slot_retire(struct devring_ring *ring, u32 slot)
{
	struct devring_slot_state *state = &ring->slots[slot];

	if (!state->live)
		return;
	state->live = false;
	*devring_named_by(ring, state->sequence) = DEVRING_NO_SLOT;
	WRITE_ONCE(devring_entry(ring, state->sequence)->word, state->sequence << 1);
	/* Pairs with the acquire fence of a sampling reader: the word changes before anything in the slot does. */
	smp_mb();
}

static void set_out(struct devring_ring *ring, struct devring_slot_state *state)
{
	list_del_init(&state->node);
	state->out = true;
	ring->out++;
	ring->held -= !!state->holds;
}

static void count_hold(struct devring_ring *ring, struct devring_slot_state *state)
{
	if (!state->holds++ && !state->out)
		ring->held++;
	ring->needed = max(ring->needed, ring->out + ring->held + 2);
}

static void uncount_hold(struct devring_ring *ring, struct devring_slot_state *state)
{
	if (!--state->holds && !state->out)
		ring->held--;
}

/* Has @file hold a frame, its newest. */
void devring_hold_add(struct devring_file *file, struct devring_ring *ring, u32 slot, u64 sequence)
{
	struct devring_slot_state *state = &ring->slots[slot];

	lockdep_assert_held(&file->dev->lock);
	if (!file->holds_max)
		return;
	if (file->nr_holds && file->holds[file->nr_holds - 1].ring == ring &&
	    file->holds[file->nr_holds - 1].sequence == sequence)
		return;
	/* What most readers do: one frame in the place of another. */
	if (likely(file->holds_max == 1 && file->nr_holds && file->holds[0].ring == ring && !file->dev->lossless)) {
		uncount_hold(ring, &ring->slots[file->holds[0].slot]);
		file->holds[0].sequence = sequence;
		file->holds[0].slot = slot;
		count_hold(ring, state);
		return;
	}
	devring_holds_trim(file, file->holds_max - 1);
	file->holds[file->nr_holds++] = (struct devring_hold){ ring, sequence, slot };
	state->kept += !!(file->flags & DEVRING_READER_LOSSLESS);
	count_hold(ring, state);
}

/* Ends hold number @i of @file. */
void devring_hold_drop(struct devring_file *file, u32 i)
{
	struct devring_dev *dev = file->dev;
	struct devring_ring *ring = file->holds[i].ring;
	struct devring_slot_state *state = &ring->slots[file->holds[i].slot];

	lockdep_assert_held(&dev->lock);
	uncount_hold(ring, state);
	state->kept -= !!(file->flags & DEVRING_READER_LOSSLESS);
	/* Most readers have one. */
	if (i < --file->nr_holds)
		memmove(&file->holds[i], &file->holds[i + 1], (file->nr_holds - i) * sizeof(file->holds[0]));
	if (ring == dev->old && !ring->held)
		devring_dev_tidy_in(dev, 0);
	if (dev->refused)
		devring_lossless_settle(dev);
}

/* Ends the oldest holds of @file until @max are left. */
void devring_holds_trim(struct devring_file *file, u32 max)
{
	while (file->nr_holds > max)
		devring_hold_drop(file, 0);
}

/* Ends a hold against its reader's will, who is told with its next frame. */
static void break_hold(struct devring_file *file, u32 i)
{
	struct devring_hold hold = file->holds[i];

	trace_devring_hold_broken(file, hold.sequence);
	file->broken = true;
	file->broken_sequence = max(file->broken_sequence, hold.sequence);
	WRITE_ONCE(file->dev->holds_broken, file->dev->holds_broken + 1);
	devring_hold_drop(file, i);
	if (!hold.ring->slots[hold.slot].holds)
		devring_slot_retire(hold.ring, hold.slot);
}

/* Breaks all holds of frames in @ring. */
void devring_holds_break(struct devring_dev *dev, struct devring_ring *ring)
{
	struct devring_file *file;
	u32 i;

	lockdep_assert_held(&dev->lock);
	list_for_each_entry(file, &dev->files, node)
		for (i = file->nr_holds; i--;)
			if (file->holds[i].ring == ring)
				break_hold(file, i);
}

/*
 * Does this hold keep a slot from being taken?  One of a partial frame does not: its producer has the slot; nor one
 * beside lossless readers, who keep it anyway.
 */
static bool keeps_slot(const struct devring_dev *dev, const struct devring_hold *hold, const struct devring_ring *ring)
{
	const struct devring_slot_state *state = &ring->slots[hold->slot];

	return hold->ring == ring && !state->out && !devring_lossless_keeps(dev, state);
}

/* A slot that several hold costs each of them a part, so that many who look at one frame are not who takes much. */
#define SLOT_COST	BIT(20)

static u32 cost_of(const struct devring_file *file, const struct devring_ring *ring)
{
	u32 i, cost = 0;

	/* Rounded up: nobody pays less by holding a frame often. */
	for (i = 0; i < file->nr_holds; i++)
		if (keeps_slot(file->dev, &file->holds[i], ring))
			cost += DIV_ROUND_UP(SLOT_COST, ring->slots[file->holds[i].slot].holds);
	return cost;
}

static u32 cost_of_user(const struct devring_dev *dev, const struct devring_ring *ring, kuid_t uid)
{
	const struct devring_file *file;
	u32 cost = 0;

	list_for_each_entry(file, &dev->files, node)
		if (uid_eq(file->uid, uid))
			cost += cost_of(file, ring);
	return cost;
}

/* Breaks the oldest hold of the user whose holds take most slots; false if there is none to gain a slot by. */
static bool break_one_hold(struct devring_dev *dev, struct devring_ring *ring)
{
	struct devring_file *file, *victim = NULL;
	u32 i, cost, most = 0, at = 0;
	u64 oldest = 0;

	lockdep_assert_held(&dev->lock);
	list_for_each_entry(file, &dev->files, node) {
		if (!cost_of(file, ring))
			continue;
		cost = cost_of_user(dev, ring, file->uid);
		for (i = 0; i < file->nr_holds; i++) {
			if (!keeps_slot(dev, &file->holds[i], ring))
				continue;
			if (cost > most || (cost == most && file->holds[i].sequence < oldest)) {
				most = cost;
				oldest = file->holds[i].sequence;
				victim = file;
				at = i;
			}
		}
	}
	if (!victim)
		return false;
	break_hold(victim, at);
	return true;
}

/* The slot that is to be taken next: the one with the oldest frame that nobody holds or keeps. */
static struct devring_slot_state *next_slot(const struct devring_dev *dev)
{
	struct devring_slot_state *state;

	list_for_each_entry(state, &dev->ring->idle, node)
		if (!state->holds && !devring_lossless_keeps(dev, state))
			return state;
	return NULL;
}

/* Is there a slot to be had for the producer? */
bool devring_slot_can_take(const struct devring_dev *dev)
{
	const struct devring_ring *ring = dev->ring;
	const struct devring_slot_state *state;
	bool breaking;

	lockdep_assert_held(&dev->lock);
	if (devring_ring_is_full(dev))
		return false;
	if (!dev->lossless)
		return true;
	breaking = ring->out + ring->held + 2 > ring->geometry.slots;
	list_for_each_entry(state, &ring->idle, node)
		if ((breaking || !state->holds) && !devring_lossless_keeps(dev, state))
			return true;
	return false;
}

/*
 * Takes the slot with the oldest frame that nobody holds.  Holds are broken only if fewer than two slots are
 * neither out nor held, so never while slots >= queued + held + 2.  -EAGAIN if lossless readers keep all slots.
 */
int devring_slot_take(struct devring_dev *dev, u32 *taken)
{
	struct devring_ring *ring = dev->ring;
	struct devring_slot_state *state;

	lockdep_assert_held(&dev->lock);
	if (!ring)
		return -ENXIO;
	if (devring_ring_is_full(dev))
		return -ENOBUFS;
	/* Lossless readers may hold so much that no other's holds make up for it: then one slot is enough. */
	while (ring->out + ring->held + 2 > ring->geometry.slots && !(dev->lossless && next_slot(dev)))
		if (!break_one_hold(dev, ring))
			break;
	state = next_slot(dev);
	if (!state)
		return dev->lossless ? -EAGAIN : -ENOBUFS;
	devring_lossless_served(dev);
	*taken = state - ring->slots;
	devring_slot_retire(ring, *taken);
	set_out(ring, state);
	ring->needed = max(ring->needed, ring->out + ring->held + 2);
	return 0;
}

/* Gives back a slot that its taker was never told of. */
void devring_slot_untake(struct devring_ring *ring, u32 slot)
{
	devring_slot_idle(ring, &ring->slots[slot]);
	list_move(&ring->slots[slot].node, &ring->idle);
}

/* What is partial becomes no frame. */
void devring_slot_end_partial(struct devring_ring *ring)
{
	if (ring->partial != DEVRING_NO_SLOT)
		devring_slot_retire(ring, ring->partial);
	ring->partial = DEVRING_NO_SLOT;
}

/* Takes all slots from a producer that is gone: what it was filling becomes no frame. */
void devring_slots_recall(struct devring_ring *ring)
{
	u32 slot;

	devring_slot_end_partial(ring);
	for (slot = 0; slot < ring->geometry.slots; slot++) {
		if (!ring->slots[slot].out)
			continue;
		ring->slots[slot].dirty = true;
		devring_slot_untake(ring, slot);
	}
}
