// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: taken, committed, held, broken.  Each atomic step is one section under devring_dev.lock:
 *
 *	take	devring_slot_take(), break_one_hold()
 *	commit	commit_slot()
 *	read	drain(), got_frame(), devring_hold_add()
 *
 * A producer with up to QUEUED slots out that may die with any of them out, and two readers with a hold each who may die
 * at any time: devring_slots_recall(), devring_holds_trim() in devring_file_leave().
 *
 * Proved:
 *	still: what a reader holds is not filled again, unless its hold was broken;
 *	rule: no hold is broken while slots >= queued + held + 2;
 *	counted: for each reader delivered + lost = committed;
 *	takes: a take never fails while fewer than slots - 2 are out;
 *	back: when all have died, at whatever moment, no slot is out and none is held.
 * Must be refused:
 *	NO_HOLDS (still): the slot is taken whoever holds it
 *	EAGER_BREAK (rule): breaks one too early
 *	LOST_ONE (counted): a reader that was lapped forgets to count a frame
 *	NO_OVERWRITE (takes): slots with frames are not taken again
 *	KEEP_OUT (back): the slots of a producer that died stay out
 *	KEEP_HOLD (back): the hold of a reader that died stays
 * Also with:
 *	SLOTS=3: too few slots, so that holds are broken
 *	QUEUED=2 SLOTS=5: two slots with the producer
 * Left out: partial frames, slots that are returned or zeroed, several holds a reader, several readers a user.
 * Bounds: four slots, one of them with the producer, two readers with a hold each, six frames.
 */
#ifndef SLOTS
#define SLOTS	4
#endif
#ifndef QUEUED
#define QUEUED	1
#endif
#define FRAMES	6
#define READERS	2
#define NONE	255

byte seq[SLOTS];	/* frame in the slot + 1; 0: none */
bool out[SLOTS];
byte holds[SLOTS];
byte filling[SLOTS];	/* the producer writes into it */
byte head, outs, held;

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
	assert(SLOTS < outs + held + 2);	/* rule */
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
#elif defined(NO_OVERWRITE)
		:: !out[i] && holds[i] == 0 && seq[i] == 0 -> best = i
#else
		:: !out[i] && holds[i] == 0 && (best == NONE || seq[i] < seq[best]) -> best = i
#endif
		:: else
		fi
	}
	assert(best != NONE);	/* takes */
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
#ifndef KEEP_OUT
	atomic {
		for (i : 0 .. SLOTS - 1) {
			if
			:: out[i] -> out[i] = false; filling[i] = 0; outs--
			:: else
			fi
		}
	}
#else
	skip
#endif
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
		assert(delivered[r] + lost[r] == cursor[r])	/* counted */
	   }
	/* Looks at what it was given: nobody fills it, and it is the frame it was. */
	:: atomic { hold[r] != NONE ->
		assert(!filling[hold[r]] && seq[hold[r]] == hold_seq[r])	/* still */
	   }
#ifdef KEEP_HOLD
	:: break
#else
	:: atomic { release(r); break }		/* dies */
#endif
	od
}

active proctype watchdog()
{
	timeout;
	assert(outs == 0 && held == 0)	/* back */
}

init {
	atomic {
		hold[0] = NONE;
		hold[1] = NONE;
		run reader(0);
		run reader(1)
	}
}
