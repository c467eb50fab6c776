/**
 * `#primitive` under the condition `check`: the accessors of src/sync/primitive.ts, each a step that the
 * machine sees. While no machine is at work (a scenario sets up, an oracle looks) they just do it.
 */
import { ADD, CAS, LOAD, type Op, OR, READ, STORE, WRITE, XCHG, ZERO } from "./operations.ts";

/** The heap, as 32-bit words. */
export type Words = Int32Array;

/** Whoever performs the accesses. */
export interface Performer {
  access(op: Op, at: number, a: number, b: number): number;
}

let performer: Performer | undefined;

/** From now on `next` performs every access; undefined: they are performed at once. */
export function setPerformer(next: Performer | undefined): void {
  performer = next;
}

export function viewWords(buffer: ArrayBufferLike, byteOffset: number, count: number): Words {
  return new Int32Array(buffer, byteOffset, count);
}

export function readPrivate(words: Words, at: number): number {
  return performer === undefined ? words[at] : performer.access(READ, at, 0, 0);
}

export function writePrivate(words: Words, at: number, value: number): void {
  if (performer === undefined) words[at] = value;
  else performer.access(WRITE, at, value, 0);
}

export function loadAcquire(words: Words, at: number): number {
  return performer === undefined ? words[at] : performer.access(LOAD, at, 0, 0);
}

export function peek(words: Words, at: number): number {
  return at >= 0 && at < words.length ? loadAcquire(words, at) : 0;
}

export function storeRelease(words: Words, at: number, value: number): void {
  if (performer === undefined) words[at] = value;
  else performer.access(STORE, at, value, 0);
}

export function cmpxchg(words: Words, at: number, expected: number, desired: number): number {
  if (performer !== undefined) return performer.access(CAS, at, expected, desired);
  const before = words[at];
  if (before === (expected | 0)) words[at] = desired;
  return before;
}

export function xchg(words: Words, at: number, value: number): number {
  if (performer !== undefined) return performer.access(XCHG, at, value, 0);
  const before = words[at];
  words[at] = value;
  return before;
}

export function fetchAdd(words: Words, at: number, delta: number): number {
  if (performer !== undefined) return performer.access(ADD, at, delta, 0);
  const before = words[at];
  words[at] = before + delta;
  return before;
}

export function fetchOr(words: Words, at: number, mask: number): number {
  if (performer !== undefined) return performer.access(OR, at, mask, 0);
  const before = words[at];
  words[at] = before | mask;
  return before;
}

export function zeroPrivate(words: Words, from: number, count: number): void {
  if (performer === undefined) words.fill(0, from, from + count);
  else performer.access(ZERO, from, count, 0);
}
