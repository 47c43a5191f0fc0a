// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revocation against faults, new maps, forks and pread(2).
 *
 *	revoke	devring_file_revoke(): flag under map_sem, then zap
 *	fault	map_fault(), find_pages() under map_sem for reading
 *	mmap	devring_mmap(): checks, inserts nothing; the kernel links the map after it
 *	pread	devring_file_pread(), copy_part(): into a page of our own under map_sem, to the caller after it
 *	fork	copies page table entries of a map that is linked before they are copied
 *
 *	death	the kernel empties the maps, then devring_file_leave()
 *
 * The producer goes on writing; the call that revokes has returned from `done` on. Who maps, and its child, may be killed
 * between any two of their steps.
 *
 * Proved:
 *	hidden: after that nothing written later can be seen through the file;
 *	counted: the file is counted as open until it is revoked or its last user has died, and its end is counted once.
 * Must be refused:
 *	ZAP_FIRST (hidden): zap, then flag
 *	NO_LOCK (hidden): the fault looks without the semaphore
 *	POPULATE_IN_MMAP (hidden): devring_mmap() inserts pages itself, before the map is linked
 *	DIRECT_COPY (hidden): copies to the caller without a page between
 *	COUNT_TWICE (counted): who dies does not ask whether it was revoked
 * Left out: grants (they are revoked as any file), expiry, and what the kernel does when maps move.
 * Bounds: one file, two maps, three writes.
 */
#define MAPS 2

byte content;			/* what is in the slot: rises */
byte at_return;			/* what was there when the call that revokes returned */
bool revoked, done, left;
byte users = 1;			/* processes that have the file */
short opens = 1;			/* devring_dev.opens */
bool mutex;
bool linked[MAPS], present[MAPS];
byte readers;			/* map_sem */
bool writer;

inline down_read()	{ atomic { !writer -> readers++ } }
inline up_read()	{ readers-- }
inline down_write()	{ atomic { !writer && readers == 0 -> writer = true } }
inline up_write()	{ writer = false }

active proctype producer()
{
	do
	:: content < 3 -> content++
	:: else -> break
	od
}

inline zap()
{
	i = 0;
	do
	:: i < MAPS ->
		if
		:: linked[i] -> present[i] = false
		:: else
		fi;
		i++
	:: else -> break
	od
}

active proctype revoker()
{
	byte i;

	atomic { !mutex -> mutex = true };
	if
	:: left -> goto out	/* no longer among the files */
	:: else
	fi;
#ifdef ZAP_FIRST
	zap();
	down_write();
	d_step { revoked = true; opens-- };
	up_write();
#else
	down_write();
	d_step { revoked = true; opens-- };
	up_write();
	zap();
#endif
	atomic { at_return = content; done = true };
out:	mutex = false
}

/* The last one that has the file closes it. */
inline leave()
{
	if
	:: d_step { users == 1 -> users = 0 };
	   atomic { !mutex -> mutex = true };
#ifdef COUNT_TWICE
	   opens--;
#else
	   opens = opens - !revoked;
#endif
	   left = true;
	   mutex = false
	:: d_step { users > 1 -> users-- }
	fi
}

/* What the owner of a map sees; nothing newer than what there was when revoke() returned. */
inline look(m)
{
	atomic {
		if
		:: present[m] && done ->
			assert(content <= at_return)	/* hidden */
		:: else
		fi
	}
}

/* The child: its map is linked behind the parent's, then entries are copied under the page table lock. */
proctype child()
{
	do
	:: look(1)
	:: break	/* dies */
	od;
	present[1] = false;
	linked[1] = false;
	leave()
}

active proctype mapper()
{
	bool was_revoked, may_copy, forked;

	/* mmap() */
	down_read();
	was_revoked = revoked;
	up_read();
	if
	:: was_revoked -> goto out
	:: else
	fi;
#ifdef POPULATE_IN_MMAP
	present[0] = true;
#endif
	linked[0] = true;
	do
	:: look(0)
	:: /* a fault */
#ifdef NO_LOCK
		was_revoked = revoked;
		if
		:: !was_revoked -> present[0] = true
		:: else
		fi
#else
		down_read();
		if
		:: !revoked -> present[0] = true
		:: else
		fi;
		up_read()
#endif
	:: !forked ->
		forked = true;
		users++;
		linked[1] = true;
		atomic { may_copy = present[0]; present[1] = may_copy };
		run child()
	:: break	/* dies */
	od;
	present[0] = false;
	linked[0] = false;
out:	leave()
}

active proctype copier()
{
	byte bounce, shown;
	bool ok;

	do
	:: down_read();
	   ok = !revoked;
	   bounce = content;
	   up_read();
	   if
	   :: ok ->
		/* The copy to the caller may be held up as long as he likes. */
#ifdef DIRECT_COPY
		shown = content;
#else
		shown = bounce;
#endif
		assert(!done || shown <= at_return)	/* hidden */
	   :: else -> break
	   fi
	od
}

active proctype watchdog()
{
	timeout;
	assert(opens == 0)	/* counted */
}
