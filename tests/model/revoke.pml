// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revocation against faults, new maps, forks and pread().
 *
 *	revoke	devring_file_revoke(): flag under map_sem, then zap
 *	fault	map_fault(), find_pages() under map_sem for reading
 *	mmap	devring_mmap(): checks, inserts nothing; the kernel links the map after it
 *	pread	devring_file_pread(), copy_part(): into a page of our own under map_sem, to the caller after it
 *	fork	copies page table entries of a map that is linked before they are copied
 *
 * The producer goes on writing; revoke() has returned from `done` on.
 *
 * Proved: after that nothing written later can be seen through the file.
 * Must be found: ZAP_FIRST (zap, then flag), NO_LOCK (the fault looks without the semaphore), POPULATE_IN_MMAP (mmap() inserts
 *	pages itself, before the map is linked), DIRECT_COPY (pread() copies to the caller without a page between).
 */
#define MAPS 2

byte content;			/* what is in the slot: rises */
byte at_return;			/* what was there when revoke() returned */
bool revoked, done;
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

#ifdef ZAP_FIRST
	zap();
	down_write();
	revoked = true;
	up_write();
#else
	down_write();
	revoked = true;
	up_write();
	zap();
#endif
	atomic { at_return = content; done = true }
}

/* What the owner of a map sees; nothing newer than what there was when revoke() returned. */
inline look(m)
{
	atomic {
		if
		:: present[m] && done -> assert(content <= at_return)
		:: else
		fi
	}
}

active proctype mapper()
{
	bool was_revoked, may_copy;

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
	:: /* fork(): the child's map is linked behind the parent's, then entries are copied under the page table lock */
		linked[1] = true;
		atomic { may_copy = present[0]; present[1] = present[1] || may_copy };
		look(1)
	:: content == 3 && done -> break
	od;
	look(0);
	look(1);
out:	skip
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
		assert(!done || shown <= at_return)
	   :: else -> break
	   fi
	od
}
