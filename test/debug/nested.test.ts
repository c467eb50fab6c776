/** What debug heaps do where calls are nested in each other, where destructors throw, and with what is no offset or function. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GFP_KERNEL } from "sharedheap";
import { QUARANTINE_OBJECTS } from "#src/debug/layout.js";
import { settle } from "../memalloc/heaps.ts";
import { debugHeap, reportOf, says } from "./support.ts";

test("what was leaked and is given back may be another's at once, and stays that", async () => {
  const heap = debugHeap();
  const pool = heap.memCache({ name: "goes", size: 64 });
  const other = heap.memCache({ name: "other", size: 64 });
  const [first, second] = [pool.alloc(), pool.alloc()];
  const destroyed = pool.destroy();
  settle(heap);
  const { leaked } = await destroyed;
  const taken: number[] = [];
  let freed = 0;
  const off = heap.tracepoints.on("slab:free", () => {
    // the second one is about to go, so the first has gone
    if (freed++ === 1) for (let i = 0; i < 500; i++) taken.push(other.allocFlags(GFP_KERNEL));
  });
  heap.freeLeaked(leaked);
  off();
  assert.ok(taken.includes(first) || taken.includes(second), "one of them was handed out again");
  for (const p of taken) other.free(p);
  heap.checkInvariants();
});

test("a destructor that throws when an object leaves quarantine: the one that comes in is not lost", () => {
  const heap = debugHeap();
  let left = 1;
  heap.destructor("throws", () => {
    if (left-- > 0) throw new Error("told to");
  });
  const destroyed = heap.memCache({ name: "destroyed", size: 64, dtor: "throws" });
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const objects = Array.from({ length: QUARANTINE_OBJECTS }, () => pool.alloc());
  destroyed.rawFree(destroyed.alloc());
  const last = objects.pop() as number;
  for (const p of objects) pool.free(p);
  assert.throws(() => pool.free(last), /told to/);
  heap.checkInvariants();
  assert.deepEqual(heap.leaks(), []);
  assert.ok(heap.audit().isClean);
});

test("the page in front of a block of kmalloc is not the block", () => {
  const heap = debugHeap();
  const p = heap.kmalloc(10_000);
  says(
    reportOf("bad-pointer", () => heap.kfree(p - 4096)),
    "4096 bytes in front of the object",
  );
  reportOf("bad-pointer", () => heap.free(p - 4096));
  heap.kfree(p);
});

test("a write to freed memory is told once, when it leaves quarantine", () => {
  const heap = debugHeap();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const written = pool.alloc();
  pool.free(written);
  heap.u8[written] = 1;
  let told = 0;
  for (let i = 0; i < 2 * QUARANTINE_OBJECTS; i++) {
    const p = heap.kmalloc(8);
    try {
      heap.kfree(p);
    } catch {
      told++;
    }
  }
  const again = Array.from({ length: 200 }, () => pool.alloc());
  assert.ok(again.includes(written));
  assert.equal(told, 1);
  heap.poll();
});

test("what is no function, and what has no text", () => {
  const heap = debugHeap();
  reportOf("bad-option", () => heap.destructor("none", 5 as unknown as () => void));
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const own = heap.kmemCache({ name: "own", size: 64 });
  const bare = Object.create(null) as number;
  for (const free of [
    () => pool.free(bare),
    () => pool.freeRcu(bare),
    () => pool.rawFree(bare),
    () => own.free(bare),
    () => heap.free(bare),
    () => heap.kfree(bare),
    () => heap.freeLeaked([bare]),
  ])
    reportOf("bad-pointer", free);
  reportOf("bad-option", () => heap.freeLeaked(5 as unknown as number[]));
  reportOf("bad-option", () => heap.audit(null as unknown as object));
  reportOf("bad-option", () => heap.audit({ repair: "no" as unknown as boolean }));
});

test("a program's own function for stacks that throws: calls go on, without a place", () => {
  const heap = debugHeap();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = () => {
    throw new Error("told to");
  };
  try {
    pool.free(pool.alloc());
    heap.rcu.readLock();
    heap.rcu.readUnlock();
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
  heap.checkInvariants();
  assert.deepEqual(heap.leaks(), []);
  heap.detach();
});

test("verify finds an overrun where a former object of the same memory began elsewhere", () => {
  const heap = debugHeap({ bytes: 8 * 2 ** 20 });
  let former = 0;
  // nested in an alloc of that size: it comes from the next larger slab cache
  const off = heap.tracepoints.on("slab:new", () => {
    former ||= heap.kmallocNolock(2048);
  });
  heap.kmalloc(2048);
  off();
  heap.kfree(former);
  for (let i = 0; i < 2 * QUARANTINE_OBJECTS; i++) heap.kfree(heap.kmalloc(8));
  const p = heap.kmalloc(3000);
  assert.equal(p - former, 4096 - 56, "it is the same memory");
  heap.u8[p + 3000] = 1;
  says(heap.verify().join("\n"), "overrun: from offset 3000 on");
});
