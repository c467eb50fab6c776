/** What they are measured on. */
import { SharedHeap } from "sharedheap";
import { makeArray, makeEight, v8Array, v8Object } from "../peers/garbage.ts";
import { SUBJECTS as OURS } from "../subjects.ts";
import type { Make, Subject } from "../workloads/workload.ts";
import type { Job } from "./job.ts";

/** What a thread has of it. */
export interface Place {
  readonly thread: number;
  readonly threads: number;
  /** Words outside the heap. */
  readonly words: Int32Array;
  readonly subject: Subject;
  /** Where the objects are. */
  readonly memory: Int32Array;
  /** What a program does in a turn of its event loop. */
  turn(): void;
}

export function openPlace({ token, thread, threads, words, subject }: Job, size: number | undefined) {
  const heap = SharedHeap.attach(token);
  const kind = OURS.find(({ name }) => name === subject);
  if (kind === undefined) throw new Error(`${subject}?`);
  const place: Place = {
    thread,
    threads,
    words,
    subject: kind.open(heap, size ?? 0),
    memory: heap.i32,
    turn: () => heap.poll(),
  };
  return { place, close: () => heap.detach() };
}

/** V8's objects, which are in no heap and belong to one thread. */
const GARBAGE: readonly { name: string; make: Make }[] = [
  { name: v8Object.name, make: makeEight },
  { name: v8Array.name, make: makeArray },
];

export function makeNamed(subject: string): Make | undefined {
  return GARBAGE.find(({ name }) => name === subject)?.make;
}

/** Who can do a workload. */
export function subjectsOf(size: number | undefined, withGarbage: boolean): string[] {
  const ours = OURS.filter(({ fixed }) => !fixed || size !== undefined);
  return [...ours, ...(withGarbage ? GARBAGE : [])].map(({ name }) => name);
}
