/**
 * `#primitive` under the condition `check`: the accessors of src/sync/primitive.ts, each a step that the
 * machine sees. While no machine is at work (a scenario sets up, an oracle looks) they just do it.
 */
import { ADD, CAS, LOAD, type Op, OR, READ, STORE, WRITE, XCHG, ZERO } from "./operations.ts";

/** The heap, as 32-bit words. */
export type Words = Int32Array;

/** The real one, also where packed.ts puts another in its place. */
export const RawInt32Array = Int32Array;

/** Whoever performs the accesses. */
export interface Performer {
  access(op: Op, at: number, a: number, b: number): number;
}

let performer: Performer | undefined;

/** From now on `next` performs every access; undefined: they are performed at once. */
export function setPerformer(next: Performer | undefined): void {
  performer = next;
}

/** One access: of the code under test, by whatever way it comes. */
export function perform(words: Words, op: Op, at: number, a: number, b: number): number {
  return performer === undefined ? performNow(rawWords(words), op, at, a, b) : performer.access(op, at, a, b);
}

/** The words themselves, behind no Proxy. */
export function rawWords(words: Words): Words {
  return new RawInt32Array(words.buffer, words.byteOffset, words.length);
}

/** Performs one step on the words. Returns what the accessor returns. */
export function performNow(words: Words, op: Op, at: number, a: number, b: number): number {
  const before = words[at];
  if (op === STORE || op === WRITE || op === XCHG) words[at] = a;
  else if (op === CAS && before === (a | 0)) words[at] = b;
  else if (op === ADD) words[at] = before + a;
  else if (op === OR) words[at] = before | a;
  else if (op === ZERO) words.fill(0, at, at + a);
  return before;
}

export function viewWords(buffer: ArrayBufferLike, byteOffset: number, count: number): Words {
  return new RawInt32Array(buffer, byteOffset, count);
}

function step(words: Words, op: Op, at: number, a: number, b: number): number {
  return performer === undefined ? performNow(words, op, at, a, b) : performer.access(op, at, a, b);
}

export function readPrivate(words: Words, at: number): number {
  return step(words, READ, at, 0, 0);
}

export function writePrivate(words: Words, at: number, value: number): void {
  step(words, WRITE, at, value, 0);
}

export function loadAcquire(words: Words, at: number): number {
  return step(words, LOAD, at, 0, 0);
}

export function peek(words: Words, at: number): number {
  return at >= 0 && at < words.length ? step(words, LOAD, at, 0, 0) : 0;
}

export function storeRelease(words: Words, at: number, value: number): void {
  step(words, STORE, at, value, 0);
}

export function cmpxchg(words: Words, at: number, expected: number, desired: number): number {
  return step(words, CAS, at, expected, desired);
}

export function xchg(words: Words, at: number, value: number): number {
  return step(words, XCHG, at, value, 0);
}

export function fetchAdd(words: Words, at: number, delta: number): number {
  return step(words, ADD, at, delta, 0);
}

export function fetchOr(words: Words, at: number, mask: number): number {
  return step(words, OR, at, mask, 0);
}

export function zeroPrivate(words: Words, from: number, count: number): void {
  step(words, ZERO, from, count, 0);
}
