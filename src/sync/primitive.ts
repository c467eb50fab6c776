/**
 * The one file that names `Atomics` and reads or writes the heap's words: everything above says
 * by the accessor it picks what an access is for, and the model checker replaces this module
 * (package condition `check`) to see every step.
 *
 * Memory model: JavaScript's atomics are sequentially consistent and order the plain accesses
 * around them. A word that another thread may touch at the same time is always accessed with an
 * atomic accessor; `readPrivate` and `writePrivate` are for words that one CPU owns, or that were
 * handed over through an atomic one. So the code has no data races, and plain reads are never
 * stale where it matters.
 *
 * Progress: every accessor is wait-free. All indices are word indices (4 bytes).
 */

/** The heap, as 32-bit words. */
export type Words = Int32Array;

/** A view of `count` words of `buffer`, starting `byteOffset` bytes into it. */
export function viewWords(buffer: ArrayBufferLike, byteOffset: number, count: number): Words {
  return new Int32Array(buffer, byteOffset, count);
}

/** Reads a word that no other CPU can be writing now. The shipped build turns calls into `words[at]`. */
export function readPrivate(words: Words, at: number): number {
  return words[at];
}

/** Writes a word that no other CPU can be touching now. The shipped build turns calls into `words[at] = value`. */
export function writePrivate(words: Words, at: number, value: number): void {
  words[at] = value;
}

/** Reads a shared word; sees all that its last writer did before writing it. */
export function loadAcquire(words: Words, at: number): number {
  return Atomics.load(words, at);
}

/** As loadAcquire, for whoever inspects a heap that may be damaged: 0 if there is no such word. */
export function peek(words: Words, at: number): number {
  return at >= 0 && at < words.length ? Atomics.load(words, at) : 0;
}

/** Writes a shared word; publishes all that this CPU did before. */
export function storeRelease(words: Words, at: number, value: number): void {
  Atomics.store(words, at, value);
}

/** Compare and exchange: writes `desired` if the word is `expected`. Returns what the word was. */
export function cmpxchg(words: Words, at: number, expected: number, desired: number): number {
  return Atomics.compareExchange(words, at, expected, desired);
}

/** Writes `value`, returns what the word was. */
export function xchg(words: Words, at: number, value: number): number {
  return Atomics.exchange(words, at, value);
}

/** Adds `delta`, returns what the word was. */
export function fetchAdd(words: Words, at: number, delta: number): number {
  return Atomics.add(words, at, delta);
}

/** Sets the bits of `mask`, returns what the word was. */
export function fetchOr(words: Words, at: number, mask: number): number {
  return Atomics.or(words, at, mask);
}

/** Below this many words a loop of stores beats the call of `fill`. */
const FILL_THRESHOLD_WORDS = 32;

/** Zeroes `count` words that this CPU owns. */
export function zeroPrivate(words: Words, from: number, count: number): void {
  if (count > FILL_THRESHOLD_WORDS) {
    words.fill(0, from, from + count);
    return;
  }
  for (let at = from; at < from + count; at++) words[at] = 0;
}
