// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: taken, committed, held, broken.  Each atomic step is one section under devring_dev.lock:
 *
 *	take	devring_slot_take(), break_one_hold()
 *	commit	devring_slot_commit()
 *	read	drain(), got_frame(), devring_hold_add()
 *
 * A producer with up to QUEUED slots out that may die with any of them out, and two readers with HOLDS holds each
 * who may leave at any time.
 *
 * Proved:	what a reader holds is not filled again, unless its hold was broken;
 *		no hold is broken while slots >= queued + held + 2;
 *		for each reader delivered + lost = committed;
 *		a take never fails while fewer than slots - 2 are out.
 *
 * Must be found: NO_HOLDS (the slot is taken whoever holds it), EAGER_BREAK (breaks one too early),
 *		LOST_ONE (a reader that was lapped forgets to count a frame).
 */
#ifndef SLOTS
#define SLOTS	4
#endif
#ifndef QUEUED
#define QUEUED	1
#endif
#ifndef HOLDS
#define HOLDS	1
#endif
#define FRAMES	6
#define READERS	2
#define NONE	255

byte seq[SLOTS];	/* frame in the slot + 1; 0: none */
bool out[SLOTS];
byte holds[SLOTS];
byte filling[SLOTS];	/* the producer writes into it */
byte head, outs, held;
bool broken_allowed;

byte hold[READERS];	/* slot that reader r holds */
byte hold_seq[READERS];
bool was_broken[READERS];
byte cursor[READERS], delivered[READERS], lost[READERS];

inline release(r)
{
	if
	:: hold[r] != NONE ->
		holds[hold[r]]--;
		if
		:: holds[hold[r]] == 0 && !out[hold[r]] -> held--
		:: else
		fi;
		hold[r] = NONE
	:: else
	fi
}

/* The oldest hold goes; with one hold a reader, and each reader a user of his own, the fairness has nothing to choose. */
inline break_one()
{
	/* The rule that users are told: this never happens with enough slots. */
	assert(SLOTS < outs + held + 2);
	if
	:: hold[0] != NONE && (hold[1] == NONE || hold_seq[0] <= hold_seq[1]) -> was_broken[0] = true; release(0)
	:: hold[1] != NONE && (hold[0] == NONE || hold_seq[1] < hold_seq[0]) -> was_broken[1] = true; release(1)
	:: else
	fi
}

inline take(slot)
{
	slot = NONE;
	do
#ifdef EAGER_BREAK
	:: outs + held + 2 >= SLOTS && held > 0 -> break_one()
#else
	:: outs + held + 2 > SLOTS && held > 0 -> break_one()
#endif
	:: else -> break
	od;
	best = NONE;
	for (i : 0 .. SLOTS - 1) {
		if
#ifdef NO_HOLDS
		:: !out[i] && (best == NONE || seq[i] < seq[best]) -> best = i
#else
		:: !out[i] && holds[i] == 0 && (best == NONE || seq[i] < seq[best]) -> best = i
#endif
		:: else
		fi
	}
	assert(best != NONE);
	slot = best;
	seq[slot] = 0;
	out[slot] = true;
	if
	:: holds[slot] > 0 -> held--
	:: else
	fi;
	outs++
}

active proctype producer()
{
	byte slot, i, best, n;

	do
	:: atomic { outs < QUEUED && outs < SLOTS - 2 && head < FRAMES -> take(slot); filling[slot] = 1 }
	:: atomic { outs > 0 && head < FRAMES ->
		/* Any of those that are out. */
		select(n : 0 .. SLOTS - 1);
		if
		:: out[n] ->
			filling[n] = 0;
			head++;
			seq[n] = head;
			out[n] = false;
			outs--;
			if
			:: holds[n] > 0 -> held++
			:: else
			fi
		:: else
		fi
	   }
	:: head == FRAMES -> break
	:: break	/* dies here; devring_slots_recall() */
	od;
	atomic {
		for (i : 0 .. SLOTS - 1) {
			if
			:: out[i] -> out[i] = false; filling[i] = 0; outs--
			:: else
			fi
		}
	}
}

proctype reader(byte r)
{
	byte i, best;

	do
	:: atomic { cursor[r] < head ->
		/* The first frame at or after the cursor that is there. */
		best = NONE;
		for (i : 0 .. SLOTS - 1) {
			if
			:: seq[i] > cursor[r] && !out[i] && (best == NONE || seq[i] < seq[best]) -> best = i
			:: else
			fi
		}
		if
		:: best != NONE ->
#ifdef LOST_ONE
			if
			:: seq[best] - 1 > cursor[r] -> lost[r] = lost[r] + seq[best] - 2 - cursor[r]
			:: else
			fi;
#else
			lost[r] = lost[r] + seq[best] - 1 - cursor[r];
#endif
			cursor[r] = seq[best];
			delivered[r]++;
			was_broken[r] = false;
			release(r);
			hold[r] = best;
			hold_seq[r] = seq[best];
			if
			:: holds[best] == 0 && !out[best] -> held++
			:: else
			fi;
			holds[best]++
		:: else
		fi;
		assert(delivered[r] + lost[r] == cursor[r])
	   }
	/* Looks at what it was given: nobody fills it, and it is the frame it was. */
	:: atomic { hold[r] != NONE -> assert(!filling[hold[r]] && seq[hold[r]] == hold_seq[r]) }
	:: atomic { release(r) ; break }
	od
}

init {
	atomic {
		hold[0] = NONE;
		hold[1] = NONE;
		run reader(0);
		run reader(1)
	}
}
