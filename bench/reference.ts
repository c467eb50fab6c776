/**
 * The yardstick: a list of free objects in a shared Int32Array, as an ordinary program would write
 * it, and pair64's loop over it. No allocator can do less than pop and push; the ratio to this tells
 * what everything else costs, on whatever machine.
 */
import type { Loop } from "./workloads/workload.ts";

/** The word that holds the first free object. */
const HEAD = 0;
const OBJECT_WORDS = 16;
const OBJECTS = 100;

class PlainList {
  readonly words: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
  }

  /** The word address of an object; 0: there is none left. */
  pop(): number {
    const words = this.words;
    const object = words[HEAD];
    if (object === 0) return 0;
    words[HEAD] = words[object];
    return object;
  }

  push(object: number): void {
    const words = this.words;
    words[object] = words[HEAD];
    words[HEAD] = object;
  }
}

export function referenceLoop(): Loop {
  const words = new Int32Array(new SharedArrayBuffer((OBJECTS + 1) * OBJECT_WORDS * 4));
  const list = new PlainList(words);
  for (let i = OBJECTS; i > 0; i--) list.push(i * OBJECT_WORDS);
  return (operations) => {
    for (let i = 0; i < operations; i++) {
      const object = list.pop();
      words[object] = i;
      list.push(object);
    }
  };
}
