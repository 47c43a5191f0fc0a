/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints devring:*, for perf, ftrace and bpftrace. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM devring

#if !defined(DEVRING_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DEVRING_TRACE_H

#include <linux/tracepoint.h>

#include "core.h"

TRACE_EVENT(devring_state,
	TP_PROTO(u64 id, u32 before, u32 state, int error),
	TP_ARGS(id, before, state, error),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, before)
		__field(u32, state)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->before = before;
		__entry->state = state;
		__entry->error = error;
	),
	TP_printk("device=%llu state=%u->%u error=%d", __entry->id, __entry->before, __entry->state, __entry->error)
);

TRACE_EVENT(devring_ring,
	TP_PROTO(u64 id, u32 generation, u64 bytes),
	TP_ARGS(id, generation, bytes),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, generation)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->generation = generation;
		__entry->bytes = bytes;
	),
	TP_printk("device=%llu generation=%u bytes=%llu", __entry->id, __entry->generation, __entry->bytes)
);

TRACE_EVENT(devring_commit,
	TP_PROTO(const struct devring_dev *dev, const struct devring_commit *commit),
	TP_ARGS(dev, commit),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, sequence)
		__field(u32, slot)
		__field(u32, bytes)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->id = dev->id;
		__entry->sequence = dev->head - 1;
		__entry->slot = commit->slot;
		__entry->bytes = commit->bytes;
		__entry->flags = commit->flags;
	),
	TP_printk("device=%llu sequence=%llu slot=%u bytes=%u flags=0x%x", __entry->id, __entry->sequence,
		  __entry->slot, __entry->bytes, __entry->flags)
);

/* What happens between one device, one reader and one frame. */
DECLARE_EVENT_CLASS(devring_reader_event,
	TP_PROTO(const struct devring_file *file, u64 sequence),
	TP_ARGS(file, sequence),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, reader)
		__field(u64, sequence)
	),
	TP_fast_assign(
		__entry->id = file->dev->id;
		__entry->reader = file->id;
		__entry->sequence = sequence;
	),
	TP_printk("device=%llu reader=%llu sequence=%llu", __entry->id, __entry->reader, __entry->sequence)
);

DEFINE_EVENT(devring_reader_event, devring_frame,
	TP_PROTO(const struct devring_file *file, u64 sequence),
	TP_ARGS(file, sequence)
);

DEFINE_EVENT(devring_reader_event, devring_hold_broken,
	TP_PROTO(const struct devring_file *file, u64 sequence),
	TP_ARGS(file, sequence)
);

DEFINE_EVENT(devring_reader_event, devring_demoted,
	TP_PROTO(const struct devring_file *file, u64 sequence),
	TP_ARGS(file, sequence)
);

DEFINE_EVENT(devring_reader_event, devring_revoke,
	TP_PROTO(const struct devring_file *file, u64 sequence),
	TP_ARGS(file, sequence)
);

#endif /* DEVRING_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
