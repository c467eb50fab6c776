/**
 * The local lock: a word of one CPU that tells a nested call that the structure it guards is in
 * the middle of a change further down the same stack. It keeps nobody else out (no other CPU
 * touches what it guards) and nothing ever waits for it. (The kernel's `local_trylock`.)
 *
 * Plain accesses suffice. A nested call between the read and the write locks and unlocks again,
 * so the word is what it was.
 */
import { readPrivate, type Words, writePrivate } from "#primitive";

/** Locks, or returns false: then this call is nested in the section that holds it. */
export function localTryLock(words: Words, lock: number): boolean {
  if (readPrivate(words, lock) !== 0) return false;
  writePrivate(words, lock, 1);
  return true;
}

/** Ends the section that `localTryLock` began. */
export function localUnlock(words: Words, lock: number): void {
  writePrivate(words, lock, 0);
}

/** True inside such a section. */
export function isLocked(words: Words, lock: number): boolean {
  return readPrivate(words, lock) !== 0;
}
