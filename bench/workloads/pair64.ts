/** The shortest life of an object. */
import type { AllocatorWorkload, Make, Subject } from "./workload.ts";

const SIZE = 64;

export const pair64: AllocatorWorkload = {
  name: "pair64",
  what: "allocate 64 bytes, free them",
  size: SIZE,
  prepare(subject: Subject, words: Int32Array) {
    return (operations) => {
      for (let i = 0; i < operations; i++) {
        const p = subject.alloc(SIZE);
        words[p >>> 2] = i;
        subject.free(p);
      }
    };
  },
  prepareGarbage(make: Make) {
    // where the program can see it: an object that nobody can see is not made
    const kept = [make(SIZE, 0)];
    return (operations) => {
      for (let i = 0; i < operations; i++) kept[0] = make(SIZE, i);
    };
  },
};
