// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking: a reader that goes to sleep just as a frame is committed.
 *
 *	reader	devring_reader_read(), is_ready(); devring_reader_poll() enqueues by poll_wait() and looks likewise
 *	commit	devring_slot_commit() under the lock, devring_wake_readers() after it
 *
 * Proved: no reader sleeps for ever while a frame is due to it, whether it waits in read() or in poll(), and the
 * producer never waits for a reader.
 * Must be found: LOOK_FIRST (looks for a frame, then enqueues), WAKE_FIRST (wakes, then commits),
 *	ONE_ONLY (wakes one waiter, as the usual helper does with EPOLLEXCLUSIVE).
 */
#define FRAMES	2
#define READERS	2

byte head;
byte got[READERS];
bool queued[READERS];
bool asleep[READERS];

inline wake()
{
	i = 0;
	do
	:: i < READERS ->
		if
		:: queued[i] ->
			asleep[i] = false;
#ifdef ONE_ONLY
			break
#else
			skip
#endif
		:: else
		fi;
		i++
	:: else -> break
	od
}

active proctype producer()
{
	byte i;

	do
	:: head < FRAMES ->
#ifdef WAKE_FIRST
		atomic { wake() };
		head++
#else
		head++;
		atomic { wake() }
#endif
	:: else -> break
	od
}

active [READERS] proctype reader()
{
	byte me = _pid - 1;

	do
	:: got[me] == FRAMES -> break
	:: got[me] < head -> got[me]++
	:: else ->
#ifdef LOOK_FIRST
		if
		:: got[me] == head -> queued[me] = true; asleep[me] = true
		:: else -> goto again
		fi;
#else
		/* prepare_to_wait() sets the state before the condition is looked at. */
		atomic { queued[me] = true; asleep[me] = true };
		if
		:: got[me] < head -> asleep[me] = false
		:: else
		fi;
#endif
		!asleep[me];	/* if nobody wakes it, the model ends here: an invalid end state */
again:		queued[me] = false
	od
}
