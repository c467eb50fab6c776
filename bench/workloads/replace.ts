/** Working sets: a number of objects are alive, and one after another, at random, is replaced. */
import type { AllocatorWorkload, Loop, Make, Subject } from "./workload.ts";

/** Sizes are drawn from a table of so many, which stays in the processor's first cache. */
export const TABLE_LENGTH = 4096;
const SEED = 0x2545f491;

/** `share` goes evenly from 0 to just below 1. */
function sizeTable(sizeAt: (share: number) => number): Uint16Array {
  return Uint16Array.from({ length: TABLE_LENGTH }, (_, i) => sizeAt(i / TABLE_LENGTH));
}

function replaceAtRandom(subject: Subject, words: Int32Array, slotCount: number, sizes: Uint16Array): Loop {
  const slots = new Int32Array(slotCount);
  for (let i = 0; i < slotCount; i++) slots[i] = subject.alloc(sizes[i % TABLE_LENGTH]);
  let state = SEED;
  return (operations) => {
    let random = state;
    for (let i = 0; i < operations; i++) {
      // xorshift32: the upper half of a number picks the slot, the lower half the size
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const slot = ((random >>> 16) * slotCount) >>> 16;
      subject.free(slots[slot]);
      const p = subject.alloc(sizes[random & (TABLE_LENGTH - 1)]);
      words[p >>> 2] = i;
      slots[slot] = p;
    }
    state = random;
  };
}

/** The same with objects that are dropped. */
function replaceGarbage(make: Make, slotCount: number, sizes: Uint16Array): Loop {
  const slots = Array.from({ length: slotCount }, (_, i) => make(sizes[i % TABLE_LENGTH], i));
  let state = SEED;
  return (operations) => {
    let random = state;
    for (let i = 0; i < operations; i++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      slots[((random >>> 16) * slotCount) >>> 16] = make(sizes[random & (TABLE_LENGTH - 1)], i);
    }
    state = random;
  };
}

/** The sizes of ws10k, in ascending order. */
export function logUniformSizes(): Uint16Array {
  return sizeTable((share) => 16 * 255 ** share);
}

/** Those of larson1 and larson2. */
export function uniformSizes(): Uint16Array {
  return sizeTable((share) => 8 + 993 * share);
}

function replacing(
  { name, what, size }: Pick<AllocatorWorkload, "name" | "what" | "size">,
  slotCount: number,
  sizes: () => Uint16Array,
): AllocatorWorkload {
  return {
    name,
    what,
    size,
    prepare: (subject, words) => replaceAtRandom(subject, words, slotCount, sizes()),
    prepareGarbage: (make) => replaceGarbage(make, slotCount, sizes()),
  };
}

export const ws10k = replacing(
  {
    name: "ws10k",
    what: "replace one of 10,000 objects, sizes log-uniform from 16 to 4080 bytes",
    size: undefined,
  },
  10_000,
  logUniformSizes,
);

export const ws10k64 = replacing(
  { name: "ws10k64", what: "replace one of 10,000 objects of 64 bytes", size: 64 },
  10_000,
  () => sizeTable(() => 64),
);

export const larson1 = replacing(
  {
    name: "larson1",
    what: "replace one of 1,000 objects, sizes uniform from 8 to 1000 bytes",
    size: undefined,
  },
  1000,
  uniformSizes,
);
