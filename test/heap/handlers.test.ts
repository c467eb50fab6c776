/** heap.tracepoints: what handlers may do inside operations, and what is left of them afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { GFP_KERNEL, type MemAlloc, SharedHeap, type SharedHeapError } from "sharedheap";
import { booksOf, exhaust, oneCpu, throwsCode } from "../memalloc/heaps.ts";

test("an allocator that a handler opens while this thread helps another one is open, until it is destroyed", () => {
  const helper = oneCpu({ maxCpus: 2 });
  const heap = SharedHeap.attach(helper.token, { turns: false, irqWork: "kthread" });
  const pool = heap.memAlloc({ name: "any" });
  heap.context.nmi(() => exhaust(pool, 100));
  let opened: MemAlloc | undefined;
  const off = helper.tracepoints.on("slab:alloc", () => {
    opened ??= helper.memAlloc({ name: "any" });
  });
  helper.poll();
  off();
  assert.ok(opened);
  const p = opened.alloc(500);
  void pool.destroy();
  for (let i = 0; i < 8; i++) heap.poll();
  assert.equal(booksOf(heap, "any").name, "any", "one CPU has it open yet");
  opened.free(p);
  for (let i = 0; i < 8; i++) helper.poll();
  throwsCode("destroyed", () => opened?.alloc(500));
  assert.deepEqual(heap.stats().allocators, []);
  helper.checkInvariants();
});

test("every way in and out of an allocator is traced", () => {
  const heap = oneCpu();
  const fixed = heap.memCache({ name: "fixed", size: 64 });
  const any = heap.memAlloc({ name: "any" });
  const live = new Set<number>();
  heap.tracepoints.on("memalloc:alloc", (p) => void (p !== 0 && live.add(p)));
  heap.tracepoints.on("memalloc:free", (p) => void assert.ok(live.delete(p)));
  heap.context.nmi(() => exhaust(fixed, 64));
  heap.context.nmi(() => exhaust(any, 64));
  const got = heap.context.nmi(() => [fixed.allocFlags(GFP_KERNEL), any.allocFlags(64, GFP_KERNEL)]);
  for (const p of got) assert.ok(live.has(p));
  const size = live.size;
  fixed.rawFree(got[0] ?? 0);
  any.rawFree(got[1] ?? 0);
  assert.equal(live.size, size - 2);
});

test("a traced alloc refuses what it always refuses", () => {
  const heap = oneCpu();
  const any = heap.memAlloc({ name: "any" });
  heap.tracepoints.on("memalloc:alloc", () => {});
  throwsCode("bad-size", () => (any as unknown as { alloc(): number }).alloc());
});

test("a handler that detaches in the middle of allocFlags ends that", () => {
  const heap = oneCpu({ maxCpus: 2 });
  for (const isFixed of [true, false]) {
    const cpu = SharedHeap.attach(heap.token, { turns: false });
    const [fixed, any] = [cpu.memCache({ name: "fixed", size: 64 }), cpu.memAlloc({ name: "any" })];
    const faults = cpu.faultInject({ site: "slab" });
    exhaust(isFixed ? fixed : any, 64);
    cpu.tracepoints.on("memalloc:alloc", () => {
      faults.stop();
      cpu.detach();
    });
    const alloc = () => (isFixed ? fixed.allocFlags(GFP_KERNEL) : any.allocFlags(64, GFP_KERNEL));
    throwsCode("detached", alloc);
    heap.checkInvariants();
  }
});

test("an allocator that is traced no more is as fast as before", () => {
  setFlagsFromString("--allow-natives-syntax");
  const isFast = new Function("object", "return %HasFastProperties(object)") as (object: object) => boolean;
  const heap = oneCpu();
  const pool = heap.memAlloc({ name: "any" });
  const offs = (["memalloc:alloc", "memalloc:free"] as const).map((name) =>
    heap.tracepoints.on(name, () => {}),
  );
  for (const off of offs) off();
  assert.ok(isFast(pool));
  assert.equal(Object.getPrototypeOf(pool), Object.getPrototypeOf(heap.memAlloc({ name: "another" })));
});

test("a handler cannot open an allocator while its thread detaches", () => {
  const heap = oneCpu({ maxCpus: 2 });
  const cpu = SharedHeap.attach(heap.token, { turns: false });
  const pool = cpu.memCache({ name: "fixed", size: 64 });
  const errors: unknown[] = [];
  const tries = [
    () => cpu.malloc(40),
    () => cpu.memAlloc({ name: "any" }),
    () => cpu.memCache({ name: "new", size: 8 }),
  ];
  const attempt = () => {
    for (const open of tries) {
      try {
        open();
      } catch (error) {
        errors.push(error);
      }
    }
  };
  pool.free(pool.alloc());
  cpu.tracepoints.on("slab:free", attempt);
  cpu.detach();
  assert.ok(errors.length > 0);
  for (const error of errors) assert.equal((error as SharedHeapError).code, "detached");
  for (let i = 0; i < 8; i++) heap.poll();
  heap.checkInvariants();
  for (const name of ["malloc", "any"]) {
    void heap.memAlloc({ name }).destroy();
    for (let i = 0; i < 8; i++) heap.poll();
  }
  assert.ok(!heap.stats().allocators.some(({ name }) => name === "malloc" || name === "any"));
});
