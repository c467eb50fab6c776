/** A meeting point: nobody passes before all have arrived. Usable again and again. */
const ARRIVED = 0;
const ROUND = 1;

/** Words a barrier takes. */
export const BARRIER_WORDS = 2;

/** Blocks until `parties` threads have called this on the same words. */
export function meet(words: Int32Array, parties: number): void {
  const round = Atomics.load(words, ROUND);
  if (Atomics.add(words, ARRIVED, 1) + 1 === parties) {
    Atomics.store(words, ARRIVED, 0);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND);
    return;
  }
  while (Atomics.load(words, ROUND) === round) Atomics.wait(words, ROUND, round);
}
