/** Numbers that look random and can be had again from the seed. */

/** Returns a function that gives integers from 0 to `below` - 1. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Fills memory with what a former user may have left there. */
export function fillWithGarbage(bytes: Uint8Array, seed: number): void {
  const random = randomFrom(seed);
  const pattern = Uint8Array.from({ length: 8191 }, () => random(256));
  for (let at = 0; at < bytes.length; at += pattern.length) {
    bytes.set(pattern.subarray(0, bytes.length - at), at);
  }
}
