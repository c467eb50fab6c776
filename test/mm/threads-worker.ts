/** A thread that allocates objects, puts them where any thread can take them, and frees what it takes. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { type HeapToken, openArena } from "#src/arena/index.js";
import { type Booted, bootAttacher } from "#src/boot.js";
import { openKmemCache } from "#src/mm/index.js";
import { detach } from "../support/heaps.ts";
import { randomFrom } from "../support/random.ts";
import { type Meeting, meet } from "../support/threads.ts";

export interface Settings {
  /** Objects of kmalloc, blocks above 8 KiB only, or of a cache with a constructor. */
  readonly kind: "kmalloc" | "pages" | "kmem";
  /** How many objects are out at most, besides the threads' own. */
  readonly slots: number;
  readonly rounds: number;
  readonly maxSize: number;
}

interface Job extends Settings, Meeting {
  readonly token: HeapToken;
  /** Offsets of objects, or 0. Whoever exchanges one for another owns it. */
  readonly ring: Int32Array;
  readonly seed: number;
}

export interface Answer {
  readonly allocated: number;
  readonly failed: number;
}

/** How one kind of object is allocated, stamped, checked and freed. */
interface Kind {
  alloc(size: number): number;
  stamp(p: number, size: number): void;
  check(p: number): void;
  free(p: number): void;
}

const MIN_SIZE = 8;
const CONSTRUCTED_WORDS = 10;

/** An object holds its size, and in each further word a number that depends on place and size. */
function stamped({ arena: { words }, kmalloc }: Booted): Kind {
  const mark = (p: number, size: number, word: number): number => Math.imul(p ^ size, 0x9e3779b1) + word;
  return {
    alloc: (size) => kmalloc.alloc(size),
    stamp: (p, size) => {
      const first = p >>> 2;
      words[first] = size;
      for (let word = 1; word < size >>> 2; word++) words[first + word] = mark(p, size, word);
    },
    check: (p) => {
      const first = p >>> 2;
      const size = words[first] ?? 0;
      for (let word = 1; word < size >>> 2; word++) {
        const expected = mark(p, size, word) | 0;
        if (words[first + word] !== expected)
          throw new Error(`object at ${p}: word ${word} of its ${size} bytes`);
      }
      if (size < MIN_SIZE) throw new Error(`object at ${p}: its size is ${size}`);
    },
    free: (p) => kmalloc.free(p),
  };
}

export function constructObject(words: Int32Array, p: number): void {
  for (let word = 0; word < CONSTRUCTED_WORDS; word++) words[(p >>> 2) + word] = p + word;
}

function checkConstructed(words: Int32Array, p: number, sign: number): void {
  for (let word = 0; word < CONSTRUCTED_WORDS; word++) {
    if (words[(p >>> 2) + word] !== sign * (p + word))
      throw new Error(`object at ${p}: word ${word} is damaged`);
  }
}

/** An object is as constructed whenever it is free, and negated while it is out. */
function constructed({ arena: { words }, kmalloc, directory, areas }: Booted): Kind {
  const ctor = (p: number): void => constructObject(words, p);
  const options = { name: "made", size: CONSTRUCTED_WORDS * 4, ctor };
  const cache = openKmemCache(kmalloc, directory, areas, options);
  const negate = (p: number): void => {
    for (let word = 0; word < CONSTRUCTED_WORDS; word++)
      words[(p >>> 2) + word] = -(words[(p >>> 2) + word] ?? 0);
  };
  return {
    alloc: () => cache.alloc(),
    stamp: (p) => {
      checkConstructed(words, p, 1);
      negate(p);
    },
    check: (p) => checkConstructed(words, p, -1),
    free: (p) => {
      negate(p);
      cache.free(p);
    },
  };
}

function work(job: Job): Answer {
  const { token, ring, seed, rounds, maxSize, slots } = job;
  const system = bootAttacher(openArena(token), `thread ${seed}`);
  const kind = job.kind === "kmem" ? constructed(system) : stamped(system);
  const random = randomFrom(seed);
  const floor = job.kind === "pages" ? 8193 : MIN_SIZE;
  let allocated = 0;
  let failed = 0;
  meet(job);
  for (let round = 0; round < rounds; round++) {
    // small sizes are frequent, as in programs
    const size = Math.max(floor, maxSize >>> random(10));
    const wanted = random(8) < 5;
    const p = wanted ? kind.alloc(size) : 0;
    if (p !== 0) kind.stamp(p, size);
    else if (wanted) failed++;
    const other = Atomics.exchange(ring, random(slots), p) >>> 0;
    if (other !== 0) kind.check(other);
    if (other !== 0) kind.free(other);
    allocated += p === 0 ? 0 : 1;
  }
  detach(system);
  return { allocated, failed };
}

if (!isMainThread) parentPort?.postMessage(work(workerData as Job));
