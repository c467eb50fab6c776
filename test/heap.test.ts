/** The heap as a program uses it: the parts together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedHeap, SharedHeapError } from "sharedheap";
import { cpusOf, throwsCode, usedObjects } from "./memalloc/heaps.ts";

test("the example of the class runs", () => {
  const heap = SharedHeap.create({ bytes: 64 * 2 ** 20 });
  const p = heap.malloc(100);
  heap.u32[p >>> 2] = 42;
  assert.equal(heap.u32[p >>> 2], 42);
  heap.free(p);
  heap.checkInvariants();
});

test("a list built by one thread is read and freed by another", () => {
  const [writer, reader] = cpusOf(2);
  const nodes = writer.memCache({ name: "nodes", size: 16 });
  let head = 0;
  for (let i = 1; i <= 1000; i++) {
    const p = nodes.alloc();
    writer.u32[p / 4] = head;
    writer.f64[p / 8 + 1] = i / 2;
    head = p;
  }
  writer.roots.set("head", head);
  writer.detach();
  const mine = reader.memCache({ name: "nodes", size: 16 });
  let sum = 0;
  for (let p = reader.roots.get("head"); p !== 0; ) {
    const next = reader.u32[p / 4];
    sum += reader.f64[p / 8 + 1];
    mine.free(p);
    p = next;
  }
  assert.equal(sum, (1000 * 1001) / 4);
  reader.detach();
  assert.equal(usedObjects(reader), 0);
});

test("roots are names for offsets", () => {
  const [a, b] = cpusOf(2);
  assert.equal(a.roots.get("none"), 0);
  for (const value of [0, 8, 2 ** 31, 2 ** 32 - 1]) {
    a.roots.set("root", value);
    assert.equal(b.roots.get("root"), value);
  }
  for (const value of [-1, 1.5, 2 ** 32, Number.NaN, "8"] as number[]) {
    throwsCode("bad-pointer", () => a.roots.set("root", value));
  }
  throwsCode("bad-name", () => a.roots.set("", 8));
});

test("errors are errors, with a name and a code", () => {
  const [heap] = cpusOf(1);
  try {
    heap.free(12);
    assert.fail("not refused");
  } catch (error) {
    assert.ok(error instanceof SharedHeapError && error instanceof Error);
    assert.deepEqual([error.name, error.code], ["SharedHeapError", "bad-pointer"]);
    assert.match(String(error), /^SharedHeapError: .*12/);
  }
});

test("contexts tell where the thread is", () => {
  const [heap] = cpusOf(1);
  const { context } = heap;
  const where = () => [context.inTask(), context.inSoftirq(), context.inHardirq(), context.inNmi()];
  assert.deepEqual(where(), [true, false, false, false]);
  assert.deepEqual(context.softirq(where), [false, true, false, false]);
  assert.deepEqual(context.hardirq(where), [false, false, true, false]);
  assert.deepEqual(
    context.softirq(() => context.nmi(where)),
    [false, true, false, true],
  );
  assert.deepEqual(where(), [true, false, false, false]);
  const dive = (): number => context.nmi(dive);
  throwsCode("limit", dive);
  assert.deepEqual(where(), [true, false, false, false]);
  heap.checkInvariants();
});

test("poll may be called at any time", () => {
  const [heap] = cpusOf(1);
  heap.poll();
  heap.context.nmi(() => heap.poll());
  heap.malloc(10);
  heap.poll();
  heap.checkInvariants();
});
