// What a program does with a heap, in a browser. A page and a module worker run the same scenarios; each gets a
// heap of its own, whose invariants are checked after it.

import { GFP_ZERO, isolationReport, rcuAssignPointer, rcuDereference, SharedHeap } from "../../dist/index.js";
import { equal, ok, throwsCode } from "./expect.mjs";
import { trade } from "./jobs.mjs";
import { startPartner } from "./partner.mjs";

const MIB = 2 ** 20;

export const scenarios = {
  "shared memory is there"() {
    equal(isolationReport().reasons.join(" "), "");
    equal(globalThis.crossOriginIsolated, true, "crossOriginIsolated");
  },

  "malloc and free: every size keeps its bytes"(heap) {
    const sizes = Array.from({ length: 200 }, (_, i) => 1 + i * i);
    const blocks = sizes.map((size) => heap.malloc(size));
    blocks.forEach((p, i) => {
      ok(p !== 0, `malloc(${sizes[i]})`);
      heap.u8.fill(i, p, p + sizes[i]);
    });
    blocks.forEach((p, i) => {
      equal(
        heap.u8.subarray(p, p + sizes[i]).every((byte) => byte === i),
        true,
        `block ${i} is as it was`,
      );
      heap.free(p);
    });
    equal(booksOf(heap, "malloc").out, 0, "objects out");
  },

  "kmalloc and kfree: zeroed, and in pages of their own"(heap) {
    const small = heap.kmalloc(100, GFP_ZERO);
    const large = heap.kmalloc(MIB);
    equal(
      heap.u8.subarray(small, small + 100).every((byte) => byte === 0),
      true,
      "zeros",
    );
    equal(heap.stats().large.blocks, 1, "large blocks");
    equal(heap.kmalloc(8 * MIB), 0, "more than there is");
    heap.kfree(large);
    heap.kfree(small);
    equal(heap.stats().large.blocks, 0, "large blocks");
    throwsCode("bad-pointer", () => heap.kfree(large));
  },

  "memCache: alloc, free, wrong frees"(heap) {
    const cache = heap.memCache({ name: "objects", size: 40 });
    const objects = Array.from({ length: 1000 }, () => cache.alloc());
    equal(new Set(objects).size, 1000, "different objects");
    equal(booksOf(heap, "objects").out, 1000, "objects out");
    for (const p of objects) cache.free(p);
    throwsCode("double-free", () => cache.free(objects.at(-1)));
    throwsCode("bad-pointer", () => cache.free(12345));
    equal(booksOf(heap, "objects").out, 0, "objects out");
  },

  "contexts: nested code gets what is in stock, then NULL"(heap) {
    const cache = heap.memCache({ name: "objects", size: 40 });
    cache.free(cache.alloc());
    const taken = heap.context.nmi(() => Array.from({ length: 200 }, () => cache.alloc()));
    const got = taken.filter((p) => p !== 0);
    ok(got.length >= 32 && got.length < 200, `${got.length} objects in stock`);
    for (const p of got) cache.free(p);
    equal(heap.context.inTask(), true, "task context");
  },

  "freeRcu: nothing is used again under a reader"(heap) {
    const cache = heap.memCache({ name: "objects", size: 16 });
    const p = cache.alloc();
    heap.rcu.readLock();
    cache.freeRcu(p);
    const others = Array.from({ length: 500 }, () => cache.alloc());
    equal(others.includes(p), false, "handed out again");
    heap.rcu.readUnlock();
    for (const other of others) cache.free(other);
    heap.poll();
    equal(booksOf(heap, "objects").waiting, 0, "waiting objects");
    throwsCode("rcu-unbalanced", () => heap.rcu.readUnlock());
  },

  async "rcu: synchronize and barrier resolve, callbacks run"(heap) {
    let called = 0;
    heap.rcu.call(() => called++);
    await heap.rcu.synchronize();
    await heap.rcu.barrier();
    equal(called, 1, "callbacks");
  },

  async "tasksTrace: a section may await"(heap) {
    const cache = heap.memCache({ name: "objects", size: 16 });
    const p = cache.alloc();
    heap.i32[p >>> 2] = 42;
    const section = heap.rcu.tasksTrace.enter();
    let isOver = false;
    const over = heap.rcu.tasksTrace.synchronize().then(() => {
      isOver = true;
    });
    await pause(50);
    equal(isOver, false, "the grace period is over");
    equal(heap.i32[p >>> 2], 42, "the object");
    section.exit();
    await over;
    cache.free(p);
  },

  async "destroy: names what was still out"(heap) {
    const cache = heap.memCache({ name: "objects", size: 16 });
    const p = cache.alloc();
    cache.free(cache.alloc());
    const { leaked } = await cache.destroy();
    equal(leaked.join(), String(p), "leaked");
    throwsCode("destroyed", () => cache.alloc());
    equal(heap.stats().allocators.length, 0, "allocators");
  },

  "kmemCache: constructor and alignment"(heap) {
    const ctor = (p) => heap.f64.fill(1, p >>> 3, (p >>> 3) + 8);
    const cache = heap.kmemCache({ name: "matrices", size: 64, align: 64, ctor });
    const p = cache.alloc();
    equal(p % 64, 0, "alignment");
    equal(heap.f64[p >>> 3], 1, "the first number");
    cache.free(p);
  },

  async "roots: another thread finds an object, and frees it"(heap) {
    const cache = heap.memCache({ name: "objects", size: 40 });
    const p = cache.alloc();
    heap.f64[p >>> 3] = 0.5;
    heap.roots.set("object", p);
    const partner = await startPartner(heap.token);
    equal(await partner.ask("takeRoot"), 0.5, "what the other thread read");
    await partner.leave();
    equal(heap.roots.get("object"), 0, "the root");
    equal(booksOf(heap, "objects").out, 0, "objects out");
  },

  async "two threads hand objects to each other"(heap) {
    const partner = await startPartner(heap.token);
    const ring = new Int32Array(new SharedArrayBuffer(4 * 64));
    const theirs = partner.ask("trade", { ring, rounds: 500_000, seed: 2 });
    const ours = trade(heap, { ring, rounds: 500_000, seed: 1 });
    equal(ours + (await theirs), 0, "NULLs");
    await partner.leave();
    heap.checkInvariants();
    const cache = heap.memCache({ name: "traded", size: 24 });
    for (const p of ring) cache.free(p);
    equal(booksOf(heap, "traded").out, 0, "objects out");
  },

  async "two threads: one replaces what the other reads"(heap) {
    const cache = heap.memCache({ name: "versions", size: 16 });
    const slot = heap.kmalloc(8, GFP_ZERO);
    const put = (version) => {
      const old = rcuDereference(heap, slot);
      const p = cache.alloc();
      heap.i32.set([version, ~version], p >>> 2);
      rcuAssignPointer(heap, slot, p);
      cache.freeRcu(old);
    };
    put(1);
    const partner = await startPartner(heap.token);
    const torn = partner.ask("read", { slot, rounds: 500_000 });
    for (let version = 2; version < 100_000; version++) put(version);
    equal(await torn, 0, "torn reads");
    cache.freeRcu(rcuDereference(heap, slot));
    heap.kfree(slot);
    await partner.leave();
  },
};

/** What an allocator has: objects on lists, waiting, and out. */
function booksOf(heap, name) {
  const books = heap.stats().allocators.find((allocator) => allocator.name === name);
  return { ...books, out: books.taken - books.listed };
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs one scenario on a heap of its own; throws what it throws. */
export async function run(name) {
  const heap = SharedHeap.create({ bytes: 8 * MIB, maxCpus: 4 });
  await scenarios[name](heap);
  heap.checkInvariants();
  heap.detach();
}
