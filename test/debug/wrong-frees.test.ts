/** Frees that are wrong: refused, whatever the memory is, with nothing changed; and the report names both sites. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SharedHeap, SharedHeapErrorCode } from "sharedheap";
import { debugCpus, debugHeap, here, reportOf, says, saysSites, type Way, waysOf } from "./support.ts";

const SIZE = 61;

/** Asserts that `call` is refused, and that every object is as it was. */
function refused(heap: SharedHeap, code: SharedHeapErrorCode, call: () => void): string {
  const before = heap.stats();
  const report = reportOf(code, call);
  const { sites, ...debug } = heap.stats().debug ?? { sites: 0 };
  const { sites: _, ...debugBefore } = before.debug ?? { sites: 0 };
  assert.deepEqual({ ...heap.stats(), debug }, { ...before, debug: debugBefore });
  assert.deepEqual(heap.verify(), []);
  return report;
}

/** The ways that have a pool of their own. */
function poolsOf(heap: SharedHeap): Way[] {
  return waysOf(heap, SIZE).filter(({ name }) => name !== "rawFree" && name !== "nolock");
}

describe("a second free", () => {
  test("names both sites of the first", () => {
    const heap = debugHeap();
    for (const way of waysOf(heap, SIZE)) {
      const [p, allocated] = [way.alloc(SIZE), here()];
      const [, freed] = [way.free(p), here()];
      const report = refused(heap, "double-free", () => way.free(p));
      says(report, `free(${p})`, `object at ${p} (61 bytes) of ${way.pool}`);
      saysSites(report, allocated, freed);
    }
  });

  test("is seen after the object left quarantine too, until it is used again", () => {
    const heap = debugHeap();
    for (const way of waysOf(heap, SIZE)) {
      const [p, allocated] = [way.alloc(SIZE), here()];
      const [, freed] = [way.free(p), here()];
      for (let i = 0; i < 600; i++) heap.kfree(heap.kmalloc(3000));
      heap.poll();
      saysSites(
        refused(heap, "double-free", () => way.free(p)),
        allocated,
        freed,
      );
    }
  });

  test("of whole pages, of any kind, in any context, on another CPU", () => {
    const [heap, other] = debugCpus(2);
    for (const bytes of [8193, 20_000, 300_000]) {
      const [p, allocated] = [heap.kmalloc(bytes), here()];
      const [, freed] = [other.kfree(p), here()];
      const report = refused(heap, "double-free", () => heap.context.nmi(() => heap.kfree(p)));
      says(report, `(${bytes} bytes) of kmalloc`, "(CPU 0 first)", "(CPU 1 second)");
      saysSites(report, allocated, freed);
    }
    const pool = heap.memCache({ name: "fixed", size: SIZE });
    const there = other.memCache({ name: "fixed", size: SIZE });
    const p = pool.alloc();
    const [, freed] = [there.freeRcu(p), here()];
    for (const free of [pool.free, pool.freeRcu, pool.rawFree])
      says(
        refused(heap, "double-free", () => free.call(pool, p)),
        freed,
      );
  });
});

describe("a free in the wrong place", () => {
  test("names whose the object is, and who allocated it", () => {
    const heap = debugHeap();
    for (const from of poolsOf(heap)) {
      for (const to of poolsOf(heap)) {
        if (to.pool === from.pool) continue;
        const [p, allocated] = [from.alloc(SIZE), here()];
        const report = refused(heap, "wrong-cache", () => to.free(p));
        says(report, `free(${p})`, `belongs to ${from.pool}`);
        saysSites(report, allocated);
        from.free(p);
      }
    }
  });

  test("of per-CPU objects too, and of objects as per-CPU ones", () => {
    const heap = debugHeap();
    const percpu = heap.memCache({ name: "each", size: 16, percpu: true });
    const plain = heap.memCache({ name: "fixed", size: 16 });
    const p = percpu.alloc();
    says(
      refused(heap, "wrong-cache", () => plain.free(p)),
      'belongs to "each"',
    );
    const q = plain.alloc();
    refused(heap, "bad-pointer", () => percpu.free(q));
    refused(heap, "bad-pointer", () => heap.percpu.free(q));
    percpu.free(p);
    plain.free(q);
    heap.detach();
  });

  test("to an allocator of the same name and size as one that has gone", async () => {
    const heap = debugHeap();
    const old = heap.memCache({ name: "fixed", size: SIZE });
    const [p, allocated] = [old.alloc(), here()];
    const gone = old.destroy();
    for (let i = 0; i < 10; i++) heap.poll();
    assert.deepEqual((await gone).leaked, [p]);
    const pool = heap.memCache({ name: "fixed", size: SIZE });
    const report = refused(heap, "wrong-cache", () => pool.free(p));
    says(report, "belongs to an allocator that has been destroyed");
    saysSites(report, allocated);
    reportOf("destroyed", () => old.free(p));
  });
});

describe("a free of what is no object", () => {
  test("says what is there", () => {
    const heap = debugHeap();
    for (const way of waysOf(heap, SIZE)) {
      const [p, allocated] = [way.alloc(SIZE), here()];
      for (const [at, where] of [
        [p + 8, "8 bytes inside"],
        [p + 56, "56 bytes inside"],
        [p - 8, "8 bytes in front of"],
        [p - 48, "48 bytes in front of"],
      ] as const) {
        const report = refused(heap, "bad-pointer", () => way.free(at));
        says(report, `free(${at})`, `${where} the object at ${p} (61 bytes) of ${way.pool}`);
        saysSites(report, allocated);
      }
      way.free(p);
    }
  });

  test("inside of a large block too", () => {
    const heap = debugHeap();
    const p = heap.kmalloc(100_000);
    for (const at of [p + 8, p + 4096, p + 65_536, p - 4096 + 8])
      says(
        refused(heap, "bad-pointer", () => heap.kfree(at)),
        `object at ${p} (100000 bytes)`,
      );
    heap.kfree(p);
  });

  test("is refused, be it what it will", () => {
    const heap = debugHeap();
    const lies = [
      -8,
      8,
      24,
      4096,
      12_345,
      0.5,
      Number.NaN,
      Infinity,
      2 ** 32,
      2 ** 53,
      "8",
      null,
      undefined,
      {},
    ];
    for (const way of waysOf(heap, SIZE)) {
      for (const lie of [...lies, heap.u8.length - 8])
        refused(heap, "bad-pointer", () => way.free(lie as number));
    }
  });

  test("0 and 16 are nothing", () => {
    const heap = debugHeap();
    for (const way of waysOf(heap, SIZE)) {
      way.free(0);
      if (way.name !== "kmemCache") way.free(16);
    }
    heap.memCache({ size: 8 }).freeRcu(0);
  });

  test("by a thread that does not have the allocator open", () => {
    const [heap, other] = debugCpus(2);
    const p = heap.malloc(100);
    const q = heap.kmalloc(5000);
    const foreign = heap.memCache({ name: "x", size: 8 }).alloc();
    says(
      reportOf("wrong-cache", () => other.free(foreign)),
      'belongs to "x"',
    );
    reportOf("bad-pointer", () => other.free(p + 8));
    other.free(p);
    other.free(q);
    reportOf("double-free", () => other.free(p));
    reportOf("double-free", () => heap.free(q));
  });
});
