/** Calls with arguments that no type check lets through: each is told by a SharedHeapError, and changes nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rcuAssignPointer, rcuDereference, SharedHeap } from "sharedheap";
import { allocMany, cpusOf, freeAll, MIB, nodeOf, oneCpu, refuses } from "../memalloc/heaps.ts";

function fail(): never {
  throw new Error("a value of the program's was called");
}

/** What arithmetic, comparison and String() trip over. */
const AWKWARD: readonly (readonly [string, unknown])[] = [
  ["a BigInt", 8n],
  ["a symbol", Symbol("lie")],
  ["an object without a prototype", Object.create(null)],
  ["an object whose toString throws", { toString: fail, valueOf: fail }],
  ["a string", "8"],
  ["null", null],
];

type Wrong = (heap: SharedHeap, value: never) => unknown;

const POINTERS: readonly (readonly [string, Wrong])[] = [
  ["heap.free", (heap, p) => heap.free(p)],
  ["kfree", (heap, p) => heap.kfree(p)],
  ["percpu.free", (heap, p) => heap.percpu.free(p)],
  ["percpu.objects.free", (heap, p) => heap.percpu.objects.free(p)],
  ["roots.set", (heap, p) => heap.roots.set("root", p)],
  ["view", (heap, p) => heap.view(p)],
  ["rcuAssignPointer's slot", (heap, slot) => rcuAssignPointer(heap, slot, 0)],
  ["rcuAssignPointer", (heap, p) => rcuAssignPointer(heap, 4096, p)],
  ["rcuDereference", (heap, slot) => rcuDereference(heap, slot)],
];

const SIZES: readonly (readonly [string, Wrong])[] = [
  ["malloc", (heap, size) => heap.malloc(size)],
  ["kmalloc", (heap, size) => heap.kmalloc(size)],
  ["percpu.alloc", (heap, size) => heap.percpu.alloc(size)],
  ["view's length", (heap, bytes) => heap.view(4096, bytes)],
];

describe("awkward values", () => {
  for (const [what, value] of AWKWARD) {
    test(`${what} is no pointer`, () => {
      const heap = oneCpu({ bytes: MIB });
      heap.malloc(1);
      for (const [name, call] of POINTERS)
        refuses(heap, "bad-pointer", () => call(heap, value as never), name);
      const [any, fixed] = [heap.memAlloc({ name: "any" }), heap.memCache({ name: "fixed", size: 8 })];
      const kmem = heap.kmemCache({ name: "kmem", size: 8 });
      for (const pool of [any, fixed, kmem])
        refuses(heap, "bad-pointer", () => pool.free(value as never), pool.name);
    });
    test(`${what} is no size`, () => {
      const heap = oneCpu({ bytes: MIB });
      for (const [name, call] of SIZES) refuses(heap, "bad-size", () => call(heap, value as never), name);
    });
    test(`${what} is no number to count with, and no option`, () => {
      const heap = oneCpu({ bytes: MIB, maxCpus: 2 });
      const counter = heap.percpu.counter();
      refuses(heap, "bad-option", () => counter.add(value as never));
      refuses(heap, "bad-option", () => heap.percpu.counter(value as never));
      refuses(heap, "bad-option", () => heap.tracepoints.on(value as never, () => {}));
      refuses(heap, "bad-option", () => SharedHeap.attach(heap.token, { irqWork: value as never }));
      if (value === null) return;
      const memory = { buffer: new ArrayBuffer(MIB) };
      refuses(heap, "bad-option", () => SharedHeap.create({ memory, byteOffset: value as never }));
      refuses(heap, "bad-option", () => SharedHeap.create({ memory, bytes: value as never }));
    });
  }
});

test("what must be a function is looked at when it is given, not when it would be called", () => {
  const heap = oneCpu({ bytes: MIB });
  const group = heap.memcg({ name: "group" });
  const none = 5 as never;
  for (const call of [
    () => heap.rcu.call(none),
    () => heap.rcu.callHurry(none),
    () => heap.rcu.tasksTrace.call(none),
    () => heap.rcu.onStall(none),
    () => heap.context.nmi(none),
    () => heap.destructor("dtor", none),
    () => heap.tracepoints.on("slab:new", none),
    () => heap.percpu.forEachCpu(4096, none),
    () => heap.kmemCache({ name: "kmem", size: 8, ctor: none }),
    () => group.onMax(none),
    () => heap.onOutOfMemory(none),
  ])
    assert.match(refuses(heap, "bad-option", call), /is 5: give it a function/);
  assert.ok(heap.context.inTask());
});

test("what must be an object with options is one", () => {
  const heap = oneCpu({ bytes: MIB, maxCpus: 2 });
  for (const value of [null, 5, "name", 5n, () => {}]) {
    const none = value as never;
    for (const call of [
      () => heap.memAlloc(none),
      () => heap.memCache(none),
      () => heap.kmemCache(none),
      () => heap.memcg(none),
      () => heap.faultInject(none),
      () => heap.tracepoints.on("slab:new", () => {}, none),
      () => heap.reap(1, none),
      () => heap.leaks(none),
      () => SharedHeap.attach(heap.token, none),
      () => SharedHeap.create(none),
    ])
      refuses(heap, "bad-option", call);
  }
});

test("nothing but true takes a living thread's memory over", () => {
  const [heap, other] = cpusOf(2);
  for (const value of ["no", 1, {}, null])
    refuses(heap, "bad-option", () => heap.reap(1, { surelyGone: value as never }));
  other.free(other.malloc(8));
  heap.checkInvariants();
});

test("a counter is opened only where one can be", () => {
  const [heap] = cpusOf(2);
  const { offset } = heap.percpu.counter();
  const small = heap.percpu.alloc(8);
  const fixed = heap.memCache({ size: 40, percpu: true }).alloc();
  for (const p of [8, 4096, heap.kmalloc(64), heap.malloc(64), small, fixed, offset + 8, offset + 8192])
    refuses(heap, "bad-pointer", () => heap.percpu.counter(p), String(p));
  heap.percpu.counter(offset).add(3);
  assert.equal(heap.percpu.counter(offset).read(), 3);
});

test("percpu.objects.free opens no cache for what is none of its objects", () => {
  const [heap, other] = cpusOf(2);
  const p = heap.memCache({ name: "mine", size: 24, percpu: true }).alloc();
  refuses(other, "wrong-cache", () => other.percpu.objects.free(p));
  const q = heap.percpu.alloc(32);
  heap.i32[(q + 4) >>> 2] = -1;
  refuses(other, "bad-pointer", () => other.percpu.objects.free(q + 8));
  const r = heap.percpu.objects.alloc(16);
  heap.percpu.objects.free(r);
  refuses(other, "double-free", () => other.percpu.objects.free(r));
  other.percpu.objects.free(heap.percpu.objects.alloc(16));
  heap.checkInvariants();
});

test("heap.free of the header of another allocator's object is refused", () => {
  const [heap, other] = cpusOf(2);
  const pool = heap.memAlloc({ name: "mine" });
  const objects = allocMany(pool, 4080, 20);
  const aligned = objects.filter((p) => nodeOf(p) % 1024 === 0);
  assert.ok(aligned.length > 0);
  for (const cpu of [heap, other])
    for (const p of aligned)
      assert.match(
        refuses(cpu, "bad-pointer", () => cpu.free(p - 8)),
        /an allocator with its own free/,
      );
  freeAll(pool, objects);
  heap.checkInvariants();
});

test("heap.free takes large objects whose first words look like a header that leads nowhere", () => {
  const heap = oneCpu();
  heap.memAlloc({ name: "any" });
  for (const first of [0, 4096, -16, 2 ** 31 - 16]) {
    const p = heap.malloc(5000);
    heap.i32[p >>> 2] = first;
    heap.i32[(p >>> 2) + 1] = -5;
    heap.free(p);
  }
  heap.checkInvariants();
});

describe("an object that is freed twice, of a slab of which none is out", () => {
  const kinds: readonly (readonly [string, (heap: SharedHeap) => [() => number, (p: number) => void]])[] = [
    ["kmalloc", (heap) => [() => heap.kmalloc(1000), (p) => heap.kfree(p)]],
    ["percpu", (heap) => [() => heap.percpu.alloc(2000), (p) => heap.percpu.free(p)]],
    [
      "kmemCache",
      (heap) => {
        const cache = heap.kmemCache({ name: "kmem", size: 1000 });
        return [() => cache.alloc(), (p) => cache.free(p)];
      },
    ],
  ];
  for (const [name, make] of kinds) {
    test(name, () => {
      const heap = oneCpu();
      const [alloc, free] = make(heap);
      const objects = Array.from({ length: 9 }, alloc);
      // the first slab is full, and nobody's current one
      for (const p of objects.slice(0, 4)) free(p);
      refuses(heap, "double-free", () => free(objects[0]));
      heap.checkInvariants();
      const again = Array.from({ length: 20 }, alloc);
      assert.equal(new Set(again).size, 20);
      assert.ok(again.every((p) => p > 0 && p < heap.u8.length));
    });
  }
});
