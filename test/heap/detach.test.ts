/** heap.detach, and what a heap that was detached from still does. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SharedHeap } from "sharedheap";
import { cpusOf, MIB, refuses, throwsCode, usedObjects } from "../memalloc/heaps.ts";

const calls: [string, (heap: SharedHeap) => unknown][] = [
  ["malloc", (heap) => heap.malloc(100)],
  ["malloc of a large block", (heap) => heap.malloc(10_000)],
  ["malloc(0)", (heap) => heap.malloc(0)],
  ["free", (heap) => heap.free(4104)],
  ["free of a page", (heap) => heap.free(409_600)],
  ["kmalloc", (heap) => heap.kmalloc(100)],
  ["kfree", (heap) => heap.kfree(409_600)],
  ["memAlloc", (heap) => heap.memAlloc({ name: "any" })],
  ["memAlloc without a name", (heap) => heap.memAlloc()],
  ["memCache", (heap) => heap.memCache({ name: "fixed", size: 8 })],
  ["kmemCache", (heap) => heap.kmemCache({ name: "own", size: 8 })],
  ["poll", (heap) => heap.poll()],
  ["context.softirq", (heap) => heap.context.softirq(() => {})],
  ["context.hardirq", (heap) => heap.context.hardirq(() => {})],
  ["context.nmi", (heap) => heap.context.nmi(() => {})],
];

describe("after detach", () => {
  for (const [name, call] of calls) {
    test(`${name} is refused, whether or not it was used before`, () => {
      const [a, b, c] = cpusOf(3, { bytes: MIB });
      c.free(c.malloc(100));
      for (const heap of [b, c]) heap.detach();
      refuses(a, "detached", () => call(b));
      refuses(a, "detached", () => call(c));
      SharedHeap.attach(a.token);
      refuses(a, "detached", () => call(b));
    });
  }

  test("allocators and slab caches that were open refuse all work", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const pools = [
      b.memAlloc({ name: "any" }),
      b.memCache({ name: "fixed", size: 64 }),
      b.kmemCache({ name: "own", size: 64 }),
    ];
    const objects = pools.map((pool) => pool.alloc(64));
    b.detach();
    const next = SharedHeap.attach(a.token);
    next.kmemCache({ name: "own", size: 64 }).alloc();
    pools.forEach((pool, i) => {
      refuses(a, "detached", () => pool.alloc(64));
      refuses(a, "detached", () => pool.free(objects[i]));
    });
    a.checkInvariants();
  });

  test("what only looks still works", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    a.roots.set("root", 4104);
    b.detach();
    assert.deepEqual([b.cpu, b.isShared, b.roots.get("root")], [1, true, 4104]);
    assert.equal(b.stats().cpus[1].state, "free");
    assert.deepEqual(b.verify(), []);
    assert.equal(b.view(4096).u8.length, MIB - 4096);
    assert.equal(SharedHeap.attach(b.token).cpu, 1);
  });
});

describe("detach", () => {
  test("a second time does nothing", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    b.detach();
    const next = SharedHeap.attach(a.token);
    assert.equal(next.cpu, 1);
    b.detach();
    assert.equal(a.stats().cpus[1].state, "online");
    assert.notEqual(next.malloc(10), 0);
  });

  test("is what the end of a block with `using` does", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    b[Symbol.dispose]();
    assert.equal(a.stats().cpus[1].state, "free");
  });

  test("in a declared context is refused, and the heap stays attached", () => {
    const [, heap] = cpusOf(2, { bytes: MIB });
    heap.malloc(10);
    for (const kind of ["softirq", "hardirq", "nmi"] as const) {
      heap.context[kind](() => {
        refuses(heap, "bad-context", () => heap.detach());
        refuses(heap, "bad-context", () => heap[Symbol.dispose]());
      });
    }
    assert.notEqual(heap.malloc(10), 0);
    heap.detach();
    throwsCode("detached", () => heap.malloc(10));
  });

  test("runs what is pending, and gives all stock back", () => {
    const [a, b] = cpusOf(2, { bytes: 4 * MIB });
    const objects = Array.from({ length: 500 }, (_, i) => b.malloc(1 + i * 8));
    for (const p of objects) b.free(p);
    const own = b.kmemCache({ name: "own", size: 100 });
    own.free(own.alloc());
    b.kfree(b.kmalloc(500));
    b.detach();
    a.checkInvariants();
    assert.equal(usedObjects(a), 0);
    assert.ok(a.stats().cpus.every(({ listedBytes, currentPages }) => listedBytes + currentPages === 0));
  });

  test("by the last thread leaves a heap that the next can use", () => {
    const [a] = cpusOf(1, { bytes: MIB });
    const p = a.malloc(100);
    a.u32[p / 4] = 7;
    a.roots.set("left", p);
    a.detach();
    const b = SharedHeap.attach(a.token);
    assert.equal(b.cpu, 0);
    assert.equal(b.u32[b.roots.get("left") / 4], 7);
    b.free(p);
    b.detach();
    assert.equal(usedObjects(b), 0);
  });

  test("an allocator and a slab cache of the same name are told apart", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    b.kmemCache({ name: "same", size: 64 });
    const pool = a.memCache({ name: "same", size: 64 });
    b.detach();
    const next = SharedHeap.attach(a.token);
    const other = next.memCache({ name: "same", size: 64 });
    pool.free(other.alloc());
    a.checkInvariants();
  });
});

test("destructors that free objects of other allocators find these open, however deep", () => {
  const [heap, other] = cpusOf(2, { bytes: 4 * MIB });
  const leaf = other.memCache({ name: "leaf", size: 40 });
  const pools = [leaf];
  for (const name of ["twig", "branch", "tree"]) {
    const below = pools[0];
    other.destructor(name, (p) => below.free(other.u32[p >>> 2]));
    pools.unshift(other.memCache({ name, size: 64, dtor: name }));
  }
  const grow = (level: number): number => {
    const p = pools[level].alloc();
    if (level < 3) other.u32[p >>> 2] = grow(level + 1);
    return p;
  };
  for (const p of Array.from({ length: 50 }, () => grow(0))) pools[0].free(p);
  other.detach();
  for (let i = 0; i < 5; i++) heap.poll();
  assert.deepEqual(heap.leaks(), []);
  heap.checkInvariants();
});

test("a destructor that throws keeps no thread from detaching", () => {
  const child = fileURLToPath(new URL("./detach-throwing-child.js", import.meta.url));
  const output = execFileSync(process.execPath, [child], { encoding: "utf8" });
  assert.equal(output, `free\nend of main\n${"uncaught: thrown in a destructor\n".repeat(2)}`);
});
