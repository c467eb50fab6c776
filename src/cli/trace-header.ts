/** The comments a trace begins with: a line naming the format's version, and a line of counts. Both optional. */

import { TRACE_LIMITS } from "./trace.ts";
import { TraceError } from "./trace-error.ts";

/** What a header promises; -1 where it says nothing. */
export interface TraceHeader {
  threads: number;
  slots: number;
  ops: number;
  allocs: number;
}

/** A header that promises nothing. */
export function emptyHeader(): TraceHeader {
  return { threads: -1, slots: -1, ops: -1, allocs: -1 };
}

/** Refuses a first line that names the format in another version than the one read here. */
export function checkVersion(comment: string): void {
  const match = /^#\s*sharedheap allocation trace\s*(.*)$/.exec(comment);
  if (match !== null && match[1] !== "v1") {
    throw new TraceError(`a trace of version ${JSON.stringify(match[1])}, and this program reads "v1"`);
  }
}

/** Takes the counts out of a comment like "# threads 7 slots 11552 ops 145781 allocs 74016", if it is one. */
export function readCounts(comment: string, header: TraceHeader): void {
  if (!/^#\s*threads\s+\d/.test(comment)) return;
  const words = comment.replace(/^#\s*/, "").trim().split(/\s+/);
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i] as string;
    const value = Number(/^\d{1,15}$/.test(words[i + 1] ?? "") ? words[i + 1] : Number.NaN);
    if (Number.isNaN(value)) throw new TraceError(`the header's ${name} is not a whole number`);
    if (Object.hasOwn(header, name)) header[name as keyof TraceHeader] = value;
  }
  checkLimit("threads", header.threads, TRACE_LIMITS.threads);
  checkLimit("slots", header.slots, TRACE_LIMITS.slots);
}

/** Refuses a slot or thread that the header's counts leave no room for. */
export function checkRange(header: TraceHeader, slot: number, thread: number): void {
  if (header.slots >= 0 && slot >= header.slots) {
    throw new TraceError(`slot ${slot} is beyond the header's ${header.slots} slots`);
  }
  if (header.threads >= 0 && thread >= header.threads) {
    throw new TraceError(`thread ${thread} is beyond the header's ${header.threads} threads`);
  }
}

/** Compares what was promised with what was there: a difference means that part of the trace is missing. */
export function checkCounts(header: TraceHeader, ops: number, allocs: number): void {
  checkCount("operations", header.ops, ops);
  checkCount("allocations", header.allocs, allocs);
}

function checkLimit(name: string, value: number, max: number): void {
  if (value > max) throw new TraceError(`the header's ${value} ${name} are more than the ${max} supported`);
}

function checkCount(name: string, promised: number, found: number): void {
  if (promised < 0 || promised === found) return;
  const why = found < promised ? "truncated: it" : "damaged: it";
  throw new TraceError(`the file is ${why} ends after ${found} ${name}, and its header promises ${promised}`);
}
