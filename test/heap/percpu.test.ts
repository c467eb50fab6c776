/** `heap.percpu`: objects with a slot on each possible CPU, and counters. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type MemCacheOptions, SharedHeap } from "sharedheap";
import {
  allocMany,
  booksOf,
  cpusOf,
  exhaust,
  freeAll,
  oneCpu,
  refuses,
  settle,
  usedObjects,
} from "../memalloc/heaps.ts";

const MAX_CPUS = 4;

test("slots are zero, distinct, on all possible CPUs, and a thread finds those that are its own", () => {
  const heaps = cpusOf(MAX_CPUS);
  const [heap] = heaps;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4096 }), (bytes) => {
      const objects = [heap.percpu.alloc(bytes), heap.percpu.alloc(bytes)];
      const slots: number[] = [];
      for (const p of objects) {
        heap.percpu.forEachCpu(p, (slot, cpu) => {
          assert.equal(slot, heap.percpu.perCpuPtr(p, cpu));
          assert.equal(slot, heaps[cpu].percpu.thisCpuPtr(p));
          const bytesThere = heap.u8.subarray(slot, slot + bytes);
          assert.ok(bytesThere.every((byte) => byte === 0));
          bytesThere.fill(0x55);
          slots.push(slot);
        });
      }
      slots.sort((a, b) => a - b);
      for (let i = 1; i < slots.length; i++) assert.ok(slots[i] - slots[i - 1] >= bytes);
      for (const p of objects) heap.percpu.free(p);
      heap.checkInvariants();
    }),
    { numRuns: 50 },
  );
  for (const each of heaps) each.checkInvariants();
});

test("a thread that attaches goes on with what the slot's last one left", () => {
  const heap = SharedHeap.create({ bytes: 4 * 2 ** 20, maxCpus: 2, turns: false });
  const p = heap.percpu.alloc(8);
  for (let i = 1; i <= 3; i++) {
    const other = SharedHeap.attach(heap.token, { turns: false });
    other.u32[other.percpu.thisCpuPtr(p) >>> 2]++;
    other.detach();
    assert.equal(heap.u32[heap.percpu.perCpuPtr(p, 1) >>> 2], i);
  }
});

test("sizes that cannot be, wrong pointers, wrong CPUs: told, and nothing changes", () => {
  const heap = oneCpu();
  assert.equal(heap.percpu.alloc(0), 16);
  assert.equal(heap.percpu.alloc(4097), 0);
  for (const bytes of [-1, 1.5, Number.NaN]) refuses(heap, "bad-size", () => heap.percpu.alloc(bytes));
  const p = heap.percpu.alloc(100);
  const q = heap.kmalloc(100);
  heap.percpu.free(0);
  heap.percpu.free(16);
  for (const wrong of [q, p + 8, p + 8192 * 64, -8, 2 ** 33])
    refuses(heap, "bad-pointer", () => heap.percpu.free(wrong));
  refuses(heap, "bad-pointer", () => heap.kfree(p));
  for (const cpu of [-1, 1, 0.5]) refuses(heap, "bad-option", () => heap.percpu.perCpuPtr(p, cpu));
  heap.percpu.free(p);
  heap.kfree(q);
  assert.equal(usedObjects(heap), 0);
  heap.detach();
  refuses(heap, "detached", () => heap.percpu.alloc(8));
});

test("a MemCache of per-CPU objects: watermarks 1 and 3, zero on all CPUs when new, grace periods as ever", () => {
  const heaps = cpusOf(MAX_CPUS);
  const pools = heaps.map((heap) => heap.memCache({ name: "counters", size: 8, percpu: true }));
  const [heap] = heaps;
  const objects = allocMany(pools[0], 8, 100);
  for (const p of objects) {
    heap.percpu.forEachCpu(p, (slot) => {
      assert.equal(heap.f64[slot >>> 3], 0);
      heap.f64[slot >>> 3] = p;
    });
  }
  for (const p of objects) heap.percpu.forEachCpu(p, (slot) => assert.equal(heap.f64[slot >>> 3], p));
  assert.ok(booksOf(heap, "counters").listed <= 4 * MAX_CPUS);
  freeAll(pools[1], objects.slice(0, 50));
  for (const p of objects.slice(50)) pools[2].freeRcu(p);
  for (const each of heaps) settle(each);
  for (const each of heaps) each.checkInvariants();
  assert.equal(booksOf(heap, "counters").out, 0);
  refuses(heap, "double-free", () => pools[0].free(objects[0]));
});

test("payloads up to 4096 bytes; any size has no per-CPU mode; opened as it was made", () => {
  const heap = oneCpu({ bytes: 8 * 2 ** 20 });
  const large = heap.memCache({ name: "large", size: 4096, percpu: true });
  const p = large.alloc();
  heap.u8.fill(0xff, p, p + 4096);
  assert.equal(large.allocFlags(1) > 0, true);
  large.free(p);
  refuses(heap, "bad-option", () => heap.memCache({ size: 4097, percpu: true }));
  refuses(heap, "bad-option", () => heap.memAlloc({ name: "any", percpu: true } as MemCacheOptions));
  refuses(heap, "mismatch", () => heap.memCache({ name: "large", size: 4096 }));
  heap.checkInvariants();
});

test("a destroyed cache of per-CPU objects gives all back, and names what was out", async () => {
  const heap = oneCpu();
  const pool = heap.memCache({ name: "counters", size: 40, percpu: true });
  const [kept, ...others] = allocMany(pool, 40, 20);
  freeAll(pool, others);
  const gone = pool.destroy();
  settle(heap);
  assert.deepEqual(await gone, { leaked: [kept] });
  heap.checkInvariants();
});

test("the shared objects: a cache for each size on first use, up to 512 bytes, freed on any thread", () => {
  const [heap, other] = cpusOf(2);
  const names = () => heap.stats().allocators.map(({ name }) => name);
  const held: number[] = [];
  for (let bytes = 1; bytes <= 512; bytes += 37) held.push(heap.percpu.objects.alloc(bytes));
  assert.ok(held.every((p) => p !== 0));
  assert.equal(names().filter((name) => name.startsWith("percpu ")).length, 5);
  assert.equal(heap.percpu.objects.alloc(513), 0);
  held.forEach((p, i) => {
    if (i % 2 === 0) other.percpu.objects.free(p);
    else other.percpu.objects.freeRcu(p);
  });
  refuses(heap, "double-free", () => heap.percpu.objects.free(held[0]));
  const other16 = heap.kmalloc(16);
  refuses(heap, "bad-pointer", () => heap.percpu.objects.free(other16));
  heap.kfree(other16);
  for (const each of [heap, other]) settle(each);
  heap.checkInvariants();
});

test("in a full heap per-CPU objects are NULL, and come again after frees", () => {
  const heap = oneCpu({ bytes: 512 * 1024, maxNames: 16 });
  const pool = heap.memCache({ name: "counters", size: 2000, percpu: true });
  const objects = exhaust(pool, 2000);
  assert.equal(heap.percpu.alloc(4096), 0);
  freeAll(pool, objects);
  settle(heap);
  assert.equal(exhaust(pool, 2000).length, objects.length);
  heap.checkInvariants();
});

test("a counter is the sum of what all CPUs added, to 64 bits", () => {
  const delta = fc.oneof(
    fc.integer({ min: -5, max: 5 }),
    fc.integer({ min: -(2 ** 29), max: 2 ** 29 }),
    fc.maxSafeInteger().map((value) => Math.trunc(value / 2)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), delta), { maxLength: 200 }), (adds) => {
      const heaps = cpusOf(3);
      const counter = heaps[0].percpu.counter();
      const counters = heaps.map((heap) => heap.percpu.counter(counter.offset));
      let expected = 0n;
      for (const [cpu, value] of adds) {
        counters[cpu].add(value);
        expected += BigInt(value);
      }
      assert.equal(counter.readExact(), BigInt.asIntN(64, expected));
      assert.ok(
        Math.abs(counter.read() - Number(expected)) <= Math.abs(Number(expected)) / 2 ** 40 + 2 ** 12,
      );
      counter.free();
      assert.equal(usedObjects(heaps[0]), 0);
    }),
    { numRuns: 40 },
  );
});

test("a counter is folded many times over, in nested contexts too", () => {
  const heap = oneCpu();
  const counter = heap.percpu.counter();
  for (let i = 0; i < 100; i++) {
    counter.add(2 ** 28 - 1);
    heap.context.nmi(() => counter.add(-(2 ** 27)));
    assert.equal(counter.read(), (i + 1) * (2 ** 28 - 1 - 2 ** 27));
  }
});

test("what is no integer of at most 2^52 is not added; a counter that cannot be had is told", () => {
  const heap = oneCpu();
  const counter = heap.percpu.counter();
  for (const delta of [0.5, Number.NaN, 2 ** 53, "1" as unknown as number])
    refuses(heap, "bad-option", () => counter.add(delta));
  refuses(heap, "bad-option", () => heap.percpu.counter(-8));
  assert.equal(counter.read(), 0);
});
