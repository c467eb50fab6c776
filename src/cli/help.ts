/** What --help prints. */

const GENERAL = `sharedheap: a lock-free allocator over one SharedArrayBuffer

Usage:
  sharedheap replay <trace>     replay a recorded allocation trace
  sharedheap replay --help      its options
  sharedheap --version

Exit codes: 0 all well; 1 the run failed; 2 bad input or usage; 130 interrupted.
`;

const REPLAY = `Usage: sharedheap replay <trace> [options]

Replays a recorded allocation trace (gzipped or plain) on real threads. Every
object is filled when allocated and checked when freed; at the end everything
is freed and the heap's books must balance.

Options:
  --threads N         worker threads, 1 to 64. Trace thread t runs on worker
                      t mod N; a trace of one thread is spread by slot.
                      Default: as many as the trace has, at most 8.
  --alloc memalloc    malloc and free: the per-thread caches (default)
  --alloc kmalloc     kmalloc and kfree: the slab allocator below them
  --repeat K          replay the trace K times
  --heap-bytes SIZE   size of the heap, such as 64M or 2GiB; at most 4GiB.
                      Default: ample for the trace; untouched memory costs
                      nothing.
  --json              print one JSON object instead of the table
  --help              this text

An object freed by another worker than its allocator waits until it has been
allocated, so the order of the trace is kept where it matters. The time runs
from the moment all workers are ready to the last worker's last free, with
the filling and checking.

Peaks of requested and unit bytes are exact with one worker. With N workers
each reports in steps of 16 KiB, so they are accurate to N x 16 KiB.

Exit codes: 0 all well (failed allocations are only reported); 1 an object was
corrupted or lost, an invariant is broken, or a worker died; 2 a bad trace or
wrong usage; 130 interrupted.
`;

/** The help text on a topic. */
export function helpText(topic: "sharedheap" | "replay"): string {
  return topic === "replay" ? REPLAY : GENERAL;
}
