// SPDX-License-Identifier: GPL-2.0-only
/*
 * Generations and takeover: what is mapped and held when a ring is replaced, by its producer or by another who took
 * over, and when memory is freed.
 *
 *	install	devring_ring_install(): under map_sem and lock, then zap_maps(), then devring_ring_put()
 *	tidy	tidy_old(): an old ring goes when nobody holds it, or after its time
 *	fault	map_fault(), find_ring(): the ring in force; for readers the one before, too
 *	commit	check_out(): only of the ring in force, only by the producer there is
 *
 * Rings are numbered by generation. A reader may hold a frame of any ring that it was given one of.
 *
 * Whoever dies, at any moment, lets go of what it has: a reader of its maps and its hold, a producer of its slots.
 *
 * Proved:
 *	shown: no map shows memory that was freed;
 *	bounded: there are no rings but the one in force and the one kept;
 *	current: a commit is of the ring in force, by the producer there is;
 *	still: what a reader holds stays as it is, until its next read or the end of its time, whatever a producer that
 *		was replaced does to its maps;
 *	back: when nothing moves any more, all rings but the one in force are freed, whoever died.
 * Must be refused:
 *	FREE_FIRST (shown): freed, then taken out of the maps
 *	KEEP_ALL (bounded): the ring before last is not ended
 *	STALE_COMMIT (current): the generation of a commit is not looked at
 *	OLD_WRITABLE (still): the producer's maps of the ring before stay
 *	NO_TIDY (back): what is kept is ended by the next ring alone
 * Left out: the header's page, the reuse of a window after 1024 generations, and what the slots of a ring are (slots.pml).
 * Bounds: three generations, two producers, one reader with one hold.
 */
#define LAST	3

byte ring = 1, old = 0;		/* generation in force, and the one before if kept */
bool freed[LAST + 1];
bool reader_map[LAST + 1];	/* a reader's map has entries for it */
bool writer_map[LAST + 1];	/* likewise the producer's, writable */
byte held = 0;			/* generation of which the reader holds a frame */
bool spoilt;			/* somebody wrote into the frame that it holds */
byte producer = 1;		/* who produces */
byte readers;
bool writer;
bool mutex;			/* devring_dev.mutex */

inline down_read()	{ atomic { !writer -> readers++ } }
inline up_read()	{ readers-- }
inline down_write()	{ atomic { !writer && readers == 0 -> writer = true } }
inline up_write()	{ writer = false }

inline bury(g)
{
	if
	:: g != 0 ->
#ifdef FREE_FIRST
		freed[g] = true;
		reader_map[g] = false;
		writer_map[g] = false
#else
		reader_map[g] = false;
		writer_map[g] = false;
		freed[g] = true
#endif
	:: else
	fi
}

inline install(who)
{
	atomic { !mutex -> mutex = true };
	if
	:: ring < LAST && (who == producer || take_over) ->
		down_write();
		d_step {
			older = old;
			before = ring;
			kept = 0;
			if
			:: held == before -> kept = before
			:: else
			fi;
#ifdef KEEP_ALL
			if
			:: older != 0 && held == older -> older = 0
			:: else
			fi;
#endif
			/* devring_holds_break() */
			if
			:: older != 0 && held == older -> held = 0; spoilt = false
			:: else
			fi;
			old = kept;
			ring = before + 1;
			producer = who
		};
		up_write();
		bury(older);
		if
		:: kept != 0 ->
#ifndef OLD_WRITABLE
			writer_map[kept] = false
#else
			skip
#endif
		:: else -> bury(before)
		fi
	:: else
	fi;
	mutex = false
}

/* Two who produce one after the other: the second takes over at any time. */
proctype produce(byte me; bool take_over)
{
	byte older, before, kept, g;

	if
	:: take_over -> install(me)
	:: else
	fi;
	do
	:: install(me)
	:: /* a fault of its map */
		down_read();
		if
		:: producer == me -> writer_map[ring] = true
		:: else
		fi;
		up_read()
	:: /* a store through the map of a ring that is no longer in force, after the call that replaced it */
		atomic {
			if
			:: !mutex && old != 0 && writer_map[old] && held == old -> spoilt = true
			:: else
			fi
		}
	:: /* takes a slot */
		g = ring
	:: /* commits it, some time later; under the lock */
		true -> atomic {
#ifdef STALE_COMMIT
			assert(producer != me || g == 0 || g == ring)	/* current */
#else
			if
			:: producer == me && g == ring ->
				assert(!freed[ring])	/* current */
			:: else	/* ENODEV or ESTALE */
			fi
#endif
		}
	:: ring == LAST -> break
	:: break		/* dies */
	od
}

active proctype read_frames()
{
	byte last = 0;

	do
	:: /* a fault: the ring in force, or the one before */
		down_read();
		if
		:: reader_map[ring] = true
		:: old != 0 -> reader_map[old] = true
		fi;
		up_read()
	:: /* a read: under the lock; the hold that was there ends */
		atomic { held = ring; spoilt = false }
	:: /* it looks at what it holds */
		atomic { held != 0 ->
			assert(!spoilt && !freed[held])	/* still */
		}
	:: /* its map shows memory that is there */
		atomic {
			assert(!(reader_map[1] && freed[1]));	/* shown */
			assert(!(reader_map[2] && freed[2]))	/* shown */
		}
	:: break	/* dies */
	od;
	/* exit, devring_file_leave() */
	atomic {
		reader_map[1] = false;
		reader_map[2] = false;
		reader_map[3] = false
	};
	atomic { held = 0; spoilt = false }
}

/* Comes when the time is over, or when nothing is held any more. */
active proctype tidy()
{
	byte was;

end:	do
#ifdef NO_TIDY
	:: atomic { !mutex && old != 0 && held != old && false -> mutex = true };
#else
	:: atomic { !mutex && old != 0 -> mutex = true };
#endif
	   if
	   :: old != 0 ->
		down_write();
		d_step {
			was = old;
			if
			:: held == was -> held = 0; spoilt = false
			:: else
			fi;
			old = 0
		};
		up_write();
		bury(was)
	   :: else
	   fi;
	   mutex = false
	od
}

/* Never more than the ring in force and the one that is kept. */
active proctype count()
{
	byte n, i;

	do
	:: atomic { !mutex ->
		n = 0;
		for (i : 1 .. LAST) {
			if
			:: i <= ring && !freed[i] -> n++
			:: else
			fi
		}
		assert(n <= 1 + (old != 0));	/* bounded */
		n = 0;
		i = 0
	   }
	:: break
	od
}

active proctype watchdog()
{
	timeout;
#ifndef KEEP_ALL	/* violates this, too */
	assert(ring == 1 || freed[1]);	/* back */
	assert(ring <= 2 || freed[2])	/* back */
#endif
}

init {
	atomic {
		run produce(1, false);
		run produce(2, true)
	}
}
