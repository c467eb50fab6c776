/** A stack of objects: longer than the stock of a cache, so it is refilled and trimmed all the time. */
import type { AllocatorWorkload, Make, Subject } from "./workload.ts";

const SIZE = 64;
const DEPTH = 100;

export const lifo100: AllocatorWorkload = {
  name: "lifo100",
  what: `allocate ${DEPTH} objects of 64 bytes, free them in reverse; per object`,
  size: SIZE,
  prepare(subject: Subject, words: Int32Array) {
    const stack = new Int32Array(DEPTH);
    return (operations) => {
      for (let done = 0; done < operations; done += DEPTH) {
        for (let i = 0; i < DEPTH; i++) {
          const p = subject.alloc(SIZE);
          words[p >>> 2] = i;
          stack[i] = p;
        }
        for (let i = DEPTH - 1; i >= 0; i--) subject.free(stack[i]);
      }
    };
  },
  prepareGarbage(make: Make) {
    const stack: (object | undefined)[] = Array.from({ length: DEPTH }, () => make(SIZE, 0));
    return (operations) => {
      for (let done = 0; done < operations; done += DEPTH) {
        for (let i = 0; i < DEPTH; i++) stack[i] = make(SIZE, i);
        for (let i = DEPTH - 1; i >= 0; i--) stack[i] = undefined;
      }
    };
  },
};
