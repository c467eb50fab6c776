/**
 * The taker word: a *try*, never waited for. It gives one CPU at a time the right to take single
 * nodes from a list (R1 in llist.ts). It is 0, or names its holder (CPU and generation), so that
 * the claim of a CPU that died can be recognised and taken over.
 *
 * Progress: wait-free. Who does not get it does something else.
 */
import { cmpxchg, storeRelease, type Words } from "#primitive";

/** Claims the word for `holder` (not 0). Returns false if somebody has it. Any context. */
export function tryTake(words: Words, taker: number, holder: number): boolean {
  // pairs with releaseTaker: the next holder sees what the last one did to the list
  return cmpxchg(words, taker, 0, holder) === 0;
}

/** Takes the word over from `holder`, which is not coming back. Returns false if somebody else has done so. Any context. */
export function takeOver(words: Words, taker: number, holder: number, by: number): boolean {
  // pairs with itself, on other CPUs. What the dead holder did comes before: see Cpus.markDead
  return cmpxchg(words, taker, holder, by) === holder;
}

/** Gives the word back. Only its holder calls this. */
export function releaseTaker(words: Words, taker: number): void {
  // pairs with tryTake
  storeRelease(words, taker, 0);
}
