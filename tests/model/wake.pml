// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking: somebody goes to sleep just as that happens which it waits for. Two readers, a producer, and somebody who
 * manages the device; readers and producer may be killed.
 *
 *	reader	devring_reader_read(), devring_reader_poll(): devring_reader_activate(), then what_is_due() under the
 *		lock; if that is nothing it enqueues, asks again (drain_due()), and sleeps
 *	producer	devring_producer_poll(): likewise, for has_news()
 *	commit	write_records(): commit_slot() under the lock, then devring_wake_frames(); for a
 *		reader's sleep a frame is an event like any other, so devring_set_format() is the same
 *	state	devring_dev_set_state(): under the lock; then the wake-up
 *	revoke	devring_file_revoke(): the flag under the lock, devring_reader_deactivate(), devring_wake_all()
 *	death	devring_file_leave(): of a reader devring_reader_deactivate(), which wakes the producer; of the producer
 *		end_lease(), with OFFLINE, or with REMOVED in devring_dev_remove()
 *	takeover	devring_file_join(): devring_file_revoke() of the loser, then devring_ring_install()
 *
 * Who is mortal may be killed between any two of its system calls and in its sleep. A call itself, but for the sleep,
 * goes to its end: nothing else that it waits for can be interrupted.
 *
 * Proved:
 *	woken: when nothing moves any more, nobody sleeps who is due a frame, news or the end, the producer having died
 *		and the right having been taken away among them;
 *	told: nor does the producer while the number of readers is not the one it was told, whoever died;
 *	counted: the number of readers is that of those who read and live;
 *	free: the producer is never held up by a reader, nor by one that has stopped.
 * Must be refused:
 *	LOOK_FIRST (woken): asks, then enqueues
 *	WAKE_FIRST (woken): wakes, then commits
 *	ONE_ONLY (woken): wakes one waiter, as the usual helper does with EPOLLEXCLUSIVE
 *	SILENT_DEATH (woken): the state after the producer's death wakes nobody
 *	SILENT_REVOKE (woken): who is revoked is not woken
 *	SILENT_LEAVE (told): a reader that goes does not wake the producer
 *	FORGET (counted): a reader that dies goes on counting
 *	LOSSLESS (free): a commit waits until all readers have the frame before
 * Left out: what is due in which order; partial frames; POLLOUT; readers that wait alone (litmus: wake-alone); the listeners of the control node, who do as readers
 *	do; that access which has expired is over before its timer wakes anybody. Memory is in order here: tests/litmus
 *	has what happens when it is not.
 * Bounds: two readers, two frames, one death, one act of the manager.
 */
#define READERS		2
#define PRODUCER	READERS
#define FRAMES		2

byte events;			/* frames, changes of state, new rings */
bool removed, lost;		/* the device is; the producer has lost it to another */
byte readers, told_readers;	/* how many read; what the producer knows of it */
bool reads[READERS], revoked[READERS];
byte told[READERS];
bool alive[READERS + 1], mortal[READERS + 1];
bool queued[READERS + 1], woken[READERS + 1];
bool mutex, committing;

#define DUE(r)		(revoked[r] || told[r] != events)
#define PRODUCER_DUE	(told_readers != readers || lost || removed)

inline wake_one(who)
{
	if
	:: queued[who] -> woken[who] = true
	:: else
	fi
}

inline wake_readers()
{
	d_step {
		wake_one(0);
#ifdef ONE_ONLY
		if
		:: queued[0]
		:: else -> wake_one(1)
		fi
#else
		wake_one(1)
#endif
	}
}

inline wake_producer()	{ d_step { wake_one(PRODUCER) } }
inline wake_all()	{ wake_readers(); wake_producer() }

/* Until something is due, or, for who is mortal, a signal comes. */
inline sleep_until(who, due)
{
#ifdef LOOK_FIRST
	if
	:: due -> woken[who] = true
	:: else
	fi;
	queued[who] = true;
#else
	queued[who] = true;
	if
	:: due -> woken[who] = true
	:: else
	fi;
#endif
end_sleep:
	atomic { woken[who] || mortal[who] -> queued[who] = false; woken[who] = false }
}

/* devring_file_leave(), devring_reader_deactivate() */
inline leave(r)
{
	atomic { !mutex ->
		alive[r] = false;
#ifndef FORGET
		readers = readers - reads[r];
#endif
		reads[r] = false
	};
#ifndef SILENT_LEAVE
	wake_producer()
#endif
}

proctype reader(byte r)
{
	d_step { !mutex ->
		reads[r] = !revoked[r];
		readers = readers + reads[r]
	};
	wake_producer();
	do
	:: mortal[r] -> break
	:: revoked[r] -> break					/* ENODEV */
	:: removed && told[r] == events -> break		/* end of file */
	:: d_step { !revoked[r] && told[r] != events -> told[r] = events }
	:: !DUE(r) -> sleep_until(r, DUE(r))
	:: r == 1 ->						/* stops, or does something else for ever */
end_idle:	mortal[r];
		break
	od;
	leave(r)
}

inline commit()
{
	committing = true;
#ifdef LOSSLESS
	(!reads[0] || told[0] == events) && (!reads[1] || told[1] == events);
#endif
#ifdef WAKE_FIRST
	wake_readers();
#endif
	d_step {
		frames++;
		if
		:: !lost && !removed -> events++
		:: else
		fi
	};
#ifndef WAKE_FIRST
	wake_readers();
#endif
	committing = false
}

/* devring_dev_set_state(): nothing leads out of REMOVED. */
inline set_state(to_removed)
{
	d_step {
		if
		:: !removed -> events++; removed = to_removed
		:: else
		fi
	};
#ifndef SILENT_DEATH
	wake_all()
#endif
}

proctype producer(bool persist)
{
	byte frames;

	do
	:: mortal[PRODUCER] || lost || removed -> break
	:: frames < FRAMES -> commit()
	:: d_step { told_readers != readers -> told_readers = readers }
	:: !PRODUCER_DUE -> sleep_until(PRODUCER, PRODUCER_DUE)
	od;
	/* devring_file_leave(), end_lease() */
	atomic { !mutex -> alive[PRODUCER] = false };
	if
	:: lost
	:: !lost && persist -> set_state(false)
	:: !lost && !persist -> set_state(true)
	fi
}

active proctype manager()
{
	if
	:: d_step { !mutex && alive[0] -> mutex = true; revoked[0] = true };
	   d_step { readers = readers - reads[0]; reads[0] = false };
	   wake_producer();
#ifndef SILENT_REVOKE
	   wake_all();
#endif
	   mutex = false
	:: d_step { !mutex && alive[PRODUCER] && !removed -> mutex = true; lost = true };
	   wake_all();
	   events++;		/* the new ring */
	   wake_readers();
	   mutex = false
	:: set_state(true)	/* UNREGISTER */
	:: skip
	fi
}

/* At the end of all that can happen: who is enqueued sleeps. */
active proctype watchdog()
{
	timeout;
	assert(!queued[0] || !DUE(0));						/* woken */
	assert(!queued[1] || !DUE(1));						/* woken */
	assert(!queued[PRODUCER] || !(lost || removed));			/* woken */
	assert(!queued[PRODUCER] || told_readers == readers);			/* told */
	assert(readers == (alive[0] && reads[0]) + (alive[1] && reads[1]));	/* counted */
	assert(!committing)							/* free */
}

init {
	atomic {
		d_step {
			alive[0] = true;
			alive[1] = true;
			alive[PRODUCER] = true
		};
		if	/* who may be killed */
		:: skip
		:: mortal[0] = true
		:: mortal[1] = true
		:: mortal[PRODUCER] = true
		fi;
		run reader(0);
		run reader(1);
		if
		:: run producer(false)
		:: mortal[PRODUCER] -> run producer(true)
		fi
	}
}
