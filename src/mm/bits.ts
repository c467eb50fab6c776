/** Runs of set bits in a 32-bit word. */

/** The lowest position from which `count` (1 to 32) bits are set, or -1. */
export function findRun(bits: number, count: number): number {
  let starts = bits;
  // after a step, bit i of `starts` says that a run of `length` starts there
  for (let length = 1; length < count && starts !== 0; ) {
    const step = Math.min(length, count - length);
    starts &= starts >>> step;
    length += step;
  }
  return starts === 0 ? -1 : 31 - Math.clz32(starts & -starts);
}

/** `count` (1 to 32) set bits from position `at` on. */
export function runMask(at: number, count: number): number {
  return count === 32 ? -1 : ((1 << count) - 1) << at;
}

/** How many bits are set. */
export function popcount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
