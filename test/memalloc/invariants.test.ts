/** Each invariant of the caches, broken on purpose: verify says so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MemCache, SharedHeap } from "sharedheap";
import {
  FREE_BY_RCU_TTRACE,
  FREE_LIST,
  FREE_LIST_EXTRA,
  HAND,
  HAND_CLOSED,
  LOW,
  OBJECT_CHECK,
  OBJECT_HOME,
  SPARE,
  TAKEN,
  UNIT_WORDS,
} from "#src/memalloc/layout.js";
import { allocMany, booksOf, freeAll, homeOf, nodeOf, oneCpu, stockOf } from "./heaps.ts";

interface Scene {
  readonly heap: SharedHeap;
  readonly words: Int32Array;
  readonly cache: number;
  readonly live: readonly number[];
  /** The objects of the free list. */
  readonly listed: readonly number[];
}

/** A cache with a chain, a spare of 48 objects, a free list of 40, and more than 20 objects out. */
function scene(): Scene {
  const heap = oneCpu();
  const pool: MemCache = heap.memCache({ name: "fixed", size: 64 });
  const live = allocMany(pool, 64, 200);
  const cache = homeOf(heap, live[0]);
  while (booksOf(heap, "fixed").trims === 0) pool.free(live.pop() as number);
  freeAll(pool, live.splice(80));
  if (heap.i32[cache + FREE_BY_RCU_TTRACE] === 0) refillChain(pool, live, heap);
  while (stockOf(heap, cache) > 88) live.push(pool.alloc());
  while (stockOf(heap, cache) < 88) pool.free(live.pop() as number);
  heap.checkInvariants();
  const listed = [];
  for (let node = heap.i32[cache + FREE_LIST]; node !== 0; node = heap.i32[node + OBJECT_HOME])
    listed.push(node);
  return { heap, words: heap.i32, cache, live, listed };
}

/** Trims until one chain waits. */
function refillChain(pool: MemCache, live: number[], heap: SharedHeap): void {
  const { trims } = booksOf(heap, "fixed");
  live.push(...allocMany(pool, 64, 100));
  while (booksOf(heap, "fixed").trims === trims) pool.free(live.pop() as number);
}

const damages: [string, RegExp, (scene: Scene) => void][] = [
  ["a loop", /not \d+ deep/, ({ words, listed }) => (words[listed[9] + OBJECT_HOME] = listed[5])],
  ["a list that ends early", /not \d+ deep/, ({ words, listed }) => (words[listed[9] + OBJECT_HOME] = 0)],
  [
    "a list that skips an object",
    /not \d+ deep/,
    ({ words, listed }) => (words[listed[9] + OBJECT_HOME] = listed[11]),
  ],
  ["a wrong depth", /not \d+ deep/, ({ words, listed }) => words[listed[9] + OBJECT_CHECK]++],
  ["a negative depth", /depth -1/, ({ words, listed }) => (words[listed[0] + OBJECT_CHECK] = -1)],
  [
    "a depth above the watermark",
    /depth 49, where 48/,
    ({ words, listed }) => (words[listed[0] + OBJECT_CHECK] = 49),
  ],
  [
    "a spare that is longer than a batch",
    /depth 49, where 48/,
    ({ words, cache }) => words[words[cache + SPARE] + OBJECT_CHECK]++,
  ],
  [
    "a spare that is on the free list too",
    /on a list twice/,
    ({ words, cache, listed }) => (words[cache + SPARE] = listed[3]),
  ],
  [
    "a low watermark for another spare",
    /low is 32, with a spare of 48 it is 0/,
    ({ words, cache }) => (words[cache + LOW] = 32),
  ],
  [
    "a link out of the heap",
    /no such object/,
    ({ words, listed }) => (words[listed[9] + OBJECT_HOME] = 0x3ffffff0),
  ],
  ["a negative link", /no such object/, ({ words, listed }) => (words[listed[9] + OBJECT_HOME] = -8)],
  [
    "a link into the tables",
    /no such object/,
    ({ words, listed }) => (words[listed[9] + OBJECT_HOME] = 4096),
  ],
  ["a link into an object", /no such object/, ({ words, listed }) => (words[listed[9] + OBJECT_HOME] += 2)],
  ["a head that is no object", /no such object/, ({ words, cache }) => (words[cache + FREE_LIST] += 2)],
  ["an object on two lists", /on a list twice/, listTwice],
  [
    "a loop of chains",
    /on a list twice/,
    ({ words, cache }) => loopOfChains(words, words[cache + FREE_BY_RCU_TTRACE]),
  ],
  [
    "a loop in a chain",
    /on a list twice/,
    ({ words, cache }) => loopInChain(words, words[cache + FREE_BY_RCU_TTRACE]),
  ],
  ["a chain that is none", /no such object/, ({ words, cache }) => (words[cache + FREE_BY_RCU_TTRACE] = 77)],
  ["an object left on the extra list", /extra list/, leaveOnExtra],
  ["a hand that is not idle", /under way/, ({ words, cache, listed }) => (words[cache + HAND] = listed[0])],
  [
    "a closed cache with objects",
    /closed, but has/,
    ({ words, cache }) => (words[cache + HAND] = HAND_CLOSED),
  ],
  ["a wrong unit", /unit is 80 bytes/, ({ words, cache }) => (words[cache + UNIT_WORDS] = 20)],
  ["more objects on lists than were taken", /took only/, ({ words, cache }) => (words[cache + TAKEN] = 3)],
];

function listTwice({ words, cache, listed }: Scene): void {
  words[words[cache + FREE_BY_RCU_TTRACE] - OBJECT_CHECK + OBJECT_HOME] = listed[3];
}

function loopOfChains(words: Int32Array, link: number): void {
  words[link] = link;
}

function loopInChain(words: Int32Array, link: number): void {
  const first = link - OBJECT_CHECK;
  words[words[first + OBJECT_HOME] + OBJECT_HOME] = first;
}

function leaveOnExtra({ words, cache, live }: Scene): void {
  const node = nodeOf(live[0]);
  words[node + OBJECT_HOME] = 0;
  words[node + OBJECT_CHECK] = 0;
  words[cache + FREE_LIST_EXTRA] = node + OBJECT_CHECK;
}

describe("verify reports", () => {
  for (const [name, expected, damage] of damages) {
    test(name, () => {
      const made = scene();
      damage(made);
      assert.match(made.heap.verify().join("\n"), expected);
      assert.throws(() => made.heap.checkInvariants(), { code: "corrupt" });
      made.heap.stats();
    });
  }
});

test("the scene has all that is to be damaged, and nothing to report", () => {
  const { heap, words, cache, live, listed } = scene();
  assert.deepEqual(heap.verify(), []);
  assert.notEqual(words[cache + FREE_BY_RCU_TTRACE], 0);
  assert.ok(live.length >= 20 && listed.length > 20);
});
