/** Words that verify and stats once believed: each test made them throw, read outside, or go on for ever. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SharedHeap } from "sharedheap";
import {
  FLAGS,
  HEADER_CHECK,
  MAX_CPUS,
  MAX_NAMES,
  NULL_DEPTH,
  PERCPU_USED,
  PERCPU_WORDS,
  RECORD_DATA,
  RECORDS_USED,
  SIZE_WORDS,
} from "#src/arena/layout.js";
import type { Booted } from "#src/boot.js";
import {
  ALLOC_MEMCG,
  ALLOC_PERCPU,
  ALLOC_SIZE,
  CACHE_WORDS,
  FREE_LIST_EXTRA,
  KEY,
  OBJECT_CHECK,
  OBJECT_HOME,
  SLAB_CACHE,
} from "#src/memalloc/layout.js";
import { CACHE_PARTIAL, CACHE_PERCPU, DESC_NEXT } from "#src/mm/layout.js";
import { cpusOf, homeOf, nodeOf, throwsCode } from "../memalloc/heaps.ts";

function layersOf(heap: SharedHeap): Booted {
  return (heap as unknown as { booted: Booted }).booted;
}

/** Two CPUs with an allocator of each kind, of which CPU 1 reads while CPU 0 frees. */
function scene() {
  const [heap, other] = cpusOf(2, { maxCpus: 3, maxNames: 16, percpuBytes: 16 * 1024 });
  const any = heap.memAlloc({ name: "any" });
  const fixed = heap.memCache({ name: "fixed", size: 40, memcg: heap.memcg({ name: "group" }) });
  other.rcu.readLock();
  for (let i = 0; i < 200; i++) fixed.freeRcu(fixed.alloc());
  const p = fixed.alloc();
  const system = layersOf(heap);
  const recordOf = (name: string): number => {
    const record = system.registry.find(name)?.record;
    assert.ok(record, name);
    return record + RECORD_DATA;
  };
  assert.deepEqual(heap.verify(), []);
  return { heap, words: heap.i32, system, any, p, cache: homeOf(heap, p), recordOf };
}

/** verify reports what is wrong, and stats gives some numbers. */
function reports(heap: SharedHeap, expected: RegExp): void {
  assert.match(heap.verify().join("\n"), expected);
  const before = heap.i32.slice();
  heap.stats();
  assert.deepEqual(heap.i32, before);
}

/** The first object of a chain of "fixed" that waits for a grace period. */
function chainOf({ system, cache }: ReturnType<typeof scene>): number {
  let link = 0;
  system.callbacks.forEachItem(0, (item) => {
    link = item;
    return false;
  });
  assert.ok(link > 0 && cache > 0);
  return link - OBJECT_CHECK;
}

describe("an allocator's record", () => {
  for (const size of [-1, 8185, 100_000, 2 ** 31 - 1]) {
    test(`with a size of ${size}`, () => {
      const { heap, words, recordOf } = scene();
      words[recordOf("fixed") + ALLOC_SIZE] = size;
      reports(heap, /"fixed": its record is damaged/);
    });
  }
  for (const percpu of [-32, 0, 5, 2 ** 30, 4096 - CACHE_WORDS]) {
    test(`with its caches at ${percpu} of each area`, () => {
      const { heap, words, recordOf } = scene();
      words[recordOf("any") + ALLOC_PERCPU] = percpu;
      reports(heap, /"any": its record is damaged/);
    });
  }
  test("in a group that is none", () => {
    const { heap, words, recordOf } = scene();
    words[recordOf("any") + ALLOC_MEMCG] = 4711;
    reports(heap, /memcg: 1 allocators are in a group that is none/);
  });
  test("that is published twice", () => {
    const { heap, words } = scene();
    const { directory } = layersOf(heap);
    const at = words.indexOf(directory.at(1));
    words[at] = directory.at(0);
    reports(heap, /directory entry 1 points to word \d+, where another one does too/);
  });
});

describe("a cache", () => {
  test("that takes its objects from a slab cache that is none", () => {
    const { heap, words, cache } = scene();
    words[cache + SLAB_CACHE] = 2 ** 31 - 8;
    reports(heap, /takes its objects from another slab cache/);
  });
  test("with another key, but open", () => {
    const { heap, words, cache } = scene();
    words[cache + KEY] ^= 4;
    reports(heap, /open, but with another allocator's key/);
  });
  test("with a list of extras that goes through NULL, which leads back to it", () => {
    const { heap, words, cache } = scene();
    words[NULL_DEPTH] = 1;
    words[cache + FREE_LIST_EXTRA] = 1;
    reports(heap, /a list leads to word 0, where no such object starts/);
  });
});

describe("a chain in a queue", () => {
  for (const home of [0, 77, 2 ** 31 - 1]) {
    test(`whose home is at ${home}`, () => {
      const made = scene();
      const first = chainOf(made);
      made.words[made.words[first + OBJECT_HOME] + OBJECT_CHECK] = home;
      reports(made.heap, new RegExp(`says that its home is at ${home}, where no cache is`));
    });
  }
  test("whose second object is not in the heap", () => {
    const made = scene();
    made.words[chainOf(made) + OBJECT_HOME] = 2 ** 31 - 2;
    reports(made.heap, /says that its home is at 0, where no cache is/);
  });
});

describe("a slab cache", () => {
  for (const offset of [-(2 ** 31), 2 ** 31 - 1, 2 ** 24]) {
    test(`whose words are at ${offset} of each area`, () => {
      const { heap, words, system } = scene();
      words[system.kmalloc.sets.kmalloc.cacheAt(3) + CACHE_PERCPU] = offset;
      reports(heap, /its sizes are damaged/);
    });
  }
  test("with a link into the middle of a descriptor", () => {
    const { heap, words, system, p } = scene();
    const { pages, kmalloc } = system;
    words[kmalloc.sets.memalloc.cacheFor(48) + CACHE_PARTIAL] =
      pages.descriptor(pages.pageAt(nodeOf(p))) + DESC_NEXT + 1;
    reports(heap, /a list of cache \d+ is damaged/);
  });
  test("whose slab has a page that belongs to none", () => {
    const { heap, system } = scene();
    const { pages } = system;
    const page = pages.pageAt(heap.kmalloc(8192) >>> 2);
    assert.ok(pages.use(page) >>> 2 > 1);
    pages.setUse(page + 1, 0, 0);
    reports(heap, /page \d+ does not say that it belongs to the slab/);
  });
});

describe("the header", () => {
  const sizes = [SIZE_WORDS, MAX_CPUS, PERCPU_WORDS, MAX_NAMES, FLAGS, HEADER_CHECK];
  for (const word of sizes) {
    test(`word ${word}: whoever is in goes on with what it knows, nobody else gets in`, () => {
      const { heap, words } = scene();
      const held = heap.stats();
      // each of these would do for some heap
      words[word] = word === FLAGS ? words[word] ^ 1 : words[word] / 2;
      reports(heap, new RegExp(`word ${word} of the header is damaged`));
      assert.deepEqual(heap.stats(), held);
      throwsCode("geometry", () => SharedHeap.attach(heap.token, { turns: false }));
    });
  }
  test("counts of more than there can be", () => {
    for (const [word, expected] of [
      [RECORDS_USED, /names reserved, there is room for 16/],
      [PERCPU_USED, /words of each area are said to be in use/],
    ] as const) {
      const { heap, words } = scene();
      words[word] = 2 ** 31 - 1;
      reports(heap, expected);
    }
  });
});

test("more CPUs than there are, or fewer than have been taken", () => {
  for (const used of [2 ** 31 - 1, 4, 1, -1]) {
    const { heap, words, system } = scene();
    words[(system.cpus as unknown as { usedWord: number }).usedWord] = used;
    reports(heap, /of 3 CPUs are said to have been used, 2 have been/);
  }
});

test("two groups, each the other's parent, and a name that leads to one of them twice", () => {
  const { heap, words } = scene();
  const parent = heap.memcg({ name: "parent" });
  heap.memcg({ name: "child", parent });
  const { memcgs, directory } = layersOf(heap);
  const [child, top] = ["child", "parent"].map((name) => memcgs.find(name)?.record ?? 0);
  words[top + 16] = child;
  reports(heap, /./);
  words[top + 16] = 0;
  const last = Array.from({ length: directory.count }, (_, i) => directory.at(i));
  words[words.indexOf(last[1])] = child;
  const names = (groups: ReturnType<SharedHeap["stats"]>["groups"]): string[] =>
    groups.flatMap(({ name, children }) => [name, ...names(children)]);
  assert.equal(names(heap.stats().groups).filter((name) => name === "child").length, 1);
});
