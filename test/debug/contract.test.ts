/** What programs are promised is kept in debug heaps: sizes, alignments, contents, contexts, groups, ends. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GFP_ACCOUNT, GFP_KERNEL, GFP_ZERO, SharedHeap } from "sharedheap";
import { UNIT_SIZES } from "#src/memalloc/sizes.js";
import { settle, usedObjects } from "../memalloc/heaps.ts";
import { POINTS } from "../support/points.ts";
import { AROUND, debugCpus, debugHeap, here, MIB, reportOf, says, saysSites, waysOf } from "./support.ts";

function isFilled(heap: SharedHeap, p: number, bytes: number, byte: number): boolean {
  return heap.u8.subarray(p, p + bytes).every((each) => each === byte);
}

describe("sizes", () => {
  test("every one up to the largest has all its bytes, and a free", () => {
    const heap = debugHeap({ bytes: 16 * MIB });
    const any = heap.memAlloc({ name: "any" });
    for (let bytes = 1; bytes <= 4088; bytes += bytes < 300 ? 1 : 97) {
      const p = any.alloc(bytes);
      assert.ok(p > 0 && p % 8 === 0, `alloc(${bytes})`);
      heap.u8.fill(255, p, p + bytes);
      any.free(p);
    }
    const largest = any.alloc(4088);
    heap.u8.fill(255, largest, largest + 4088);
    assert.equal(any.alloc(4089), 0);
    assert.equal(any.alloc(0), 16);
    heap.checkInvariants();
    any.free(largest);
    heap.detach();
    assert.equal(usedObjects(heap), 0);
  });

  test("a MemCache of 8184 bytes, and of 1", () => {
    const heap = debugHeap({ bytes: 16 * MIB });
    for (const size of [1, 2, 3, 4, 7, 8, 4089, 8184]) {
      const pool = heap.memCache({ size });
      const objects = Array.from({ length: 20 }, () => pool.alloc());
      assert.equal(new Set(objects).size, 20);
      for (const p of objects) heap.u8.fill(255, p, p + size);
      heap.checkInvariants();
      for (const p of objects) pool.free(p);
    }
    reportOf("bad-option", () => heap.memCache({ size: 8185 }));
    heap.detach();
    assert.equal(usedObjects(heap), 0);
  });

  test("kmalloc, to the largest block, aligned as it says", () => {
    const heap = debugHeap({ bytes: 300 * MIB });
    for (const bytes of [
      1,
      8,
      9,
      2048,
      2049,
      4080,
      4081,
      8192,
      8193,
      65_536,
      10 * MIB,
      2 ** 27 - 1,
      2 ** 27,
    ]) {
      const p = heap.kmalloc(bytes);
      assert.ok(p > 0 && p % (bytes > 2048 ? 4096 : 8) === 0, `kmalloc(${bytes})`);
      for (const at of [p, p + bytes - 1]) heap.u8[at] = 255;
      heap.checkInvariants();
      heap.kfree(p);
      assert.equal(heap.kmalloc(0), 16);
    }
    assert.equal(heap.kmalloc(2 ** 27 + 1), 0);
    for (const bytes of [1, 2049, 4081, 8192]) {
      const p = heap.kmallocNolock(bytes, GFP_ZERO | GFP_ACCOUNT);
      assert.ok(p > 0 && p % (bytes > 2048 ? 4096 : 8) === 0 && isFilled(heap, p, bytes, 0));
      heap.kfreeNolock(p);
    }
    assert.equal(heap.kmallocNolock(8193), 0);
  });

  test("slab caches: alignment, constructor, types that readers may look at", () => {
    const heap = debugHeap();
    for (const align of [8, 64, 512, 4096])
      for (const size of [8, 9, 1000, 8192]) {
        const made: number[] = [];
        const ctor = (p: number) => {
          heap.u8.fill(7, p, p + size);
          made.push(p);
        };
        const own = heap.kmemCache({ name: `${align} ${size}`, size, align, ctor, typesafeByRcu: true });
        const p = own.alloc();
        assert.ok(p > 0 && p % align === 0 && made.includes(p), `${size} bytes, aligned to ${align}`);
        assert.ok(isFilled(heap, p, size, 7), "as the constructor left it");
        own.free(p);
        assert.ok(isFilled(heap, p, size, 7), "as it was freed");
        heap.u8[p + size] = 0;
        says(
          reportOf("corrupt", () => heap.checkInvariants()),
          `overrun: from offset ${size} on`,
        );
        heap.u8[p + size] = 0xcc;
      }
    heap.detach();
    assert.equal(usedObjects(heap), 0);
  });
});

describe("contents", () => {
  test("zeros when new, and not what they were when used before", () => {
    const heap = debugHeap();
    const pool = heap.memCache({ name: "fixed", size: 100 });
    const seen = new Set<number>();
    for (let i = 0; i < 3000; i++) {
      const p = pool.alloc();
      assert.ok(isFilled(heap, p, 100, seen.has(p) ? 0x5a : 0), `object ${i}`);
      seen.add(p);
      heap.u8.fill(i & 255, p, p + 100);
      pool.free(p);
      assert.ok(isFilled(heap, p, 100, 0x6b), "poisoned");
    }
    assert.ok(seen.size < 2000, "some were used before");
  });

  test("of kmalloc arbitrary, and zeros with GFP_ZERO; the zone is whole after that", () => {
    const heap = debugHeap();
    const fixed = heap.memCache({ name: "fixed", size: 61 });
    const any = heap.memAlloc({ name: "any" });
    for (let i = 0; i < 700; i++) {
      const objects = [
        [fixed.allocFlags(GFP_ZERO), 61],
        [any.allocFlags(61, GFP_ZERO | GFP_KERNEL), 61],
        [heap.kmalloc(61, GFP_ZERO), 61],
        [heap.kmalloc(8195, GFP_ZERO), 8195],
      ];
      for (const [p, bytes] of objects) {
        assert.ok(isFilled(heap, p, bytes, 0));
        heap.u8.fill(255, p, p + bytes);
      }
      fixed.free(objects[0][0]);
      any.free(objects[1][0]);
      heap.kfree(objects[2][0]);
      heap.kfree(objects[3][0]);
    }
    assert.ok(isFilled(heap, heap.kmalloc(100), 100, 0x5a));
    heap.checkInvariants();
  });

  test("stay for a destructor, which gets the object as the program knew it", () => {
    const heap = debugHeap();
    const seen = new Map<number, number>();
    heap.destructor("note", (p) => seen.set(p, heap.u32[p >>> 2]));
    const pool = heap.memCache({ name: "fixed", size: 8, dtor: "note" });
    const percpu = heap.memCache({ name: "each", size: 8, percpu: true, dtor: "note" });
    const freed = new Map<number, number>();
    for (const [i, each] of [pool, pool, percpu, pool].entries()) {
      const p = each.alloc();
      heap.u32[p >>> 2] = 100 + i;
      freed.set(p, 100 + i);
      if (i === 0) each.freeRcu(p);
      else if (i === 1) each.rawFree(p);
      else each.free(p);
    }
    void pool.destroy();
    void percpu.destroy();
    settle(heap);
    for (const [p, value] of freed) assert.equal(seen.get(p), value);
  });
});

describe("contexts", () => {
  test("in a real-time stretch what is freed can be had again, however often", () => {
    const heap = debugHeap();
    const pool = heap.memCache({ name: "voice", size: 64 });
    const any = heap.memAlloc({ name: "any" });
    pool.reserve(50);
    any.reserve(1000, 50);
    heap.context.nmi(() => {
      for (let i = 0; i < 2000; i++) {
        const objects = [pool.alloc(), any.alloc(1000), heap.kmallocNolock(8000)];
        assert.ok(!objects.includes(0), `round ${i}`);
        pool.free(objects[0]);
        any.free(objects[1]);
        heap.kfreeNolock(objects[2]);
      }
    });
    heap.poll();
    heap.checkInvariants();
  });

  test("calls inside of every tracepoint, and every one is told the program's offsets", () => {
    const heap = debugHeap();
    const pool = heap.memCache({ name: "fixed", size: 100 });
    const inner = heap.memAlloc({ name: "inner" });
    let calls = 0;
    let depth = 0;
    const told: [string, number][] = [];
    const offs = POINTS.map((name) =>
      heap.tracepoints.on(name, (p) => {
        if (name.startsWith("memalloc:") && name !== "memalloc:refill") told.push([name, p]);
        if (depth === 1) return;
        depth++;
        calls++;
        inner.free(inner.alloc(50));
        heap.kfree(heap.kmallocNolock(50));
        depth--;
      }),
    );
    for (let round = 0; round < 3; round++) {
      const objects = Array.from({ length: 60 }, () => pool.alloc());
      for (const p of objects) pool.freeRcu(p);
      for (let i = 0; i < 4; i++) heap.poll();
      assert.ok(objects.every((p) => told.some(([name, q]) => name === "memalloc:alloc" && q === p)));
      assert.ok(objects.every((p) => told.some(([name, q]) => name === "memalloc:free" && q === p)));
    }
    assert.ok(calls > 100, `${calls} calls`);
    for (const off of offs) off();
    heap.checkInvariants();
    heap.detach();
    assert.equal(usedObjects(heap), 0);
  });
});

describe("out of memory", () => {
  test("is 0, and not before what is in quarantine has been used; all can be freed", () => {
    const [heap, other] = debugCpus(2, { bytes: MIB });
    for (const way of waysOf(heap, 500)) {
      const objects: number[] = [];
      for (let p = way.alloc(500); p !== 0; p = way.alloc(500)) objects.push(p);
      assert.equal(way.alloc(500), 0);
      for (let i = 0; i < 20; i++) way.free(objects.pop() as number);
      for (let i = 0; i < 20; i++) {
        const p = way.alloc(500);
        assert.notEqual(p, 0, `${way.name}: ${i} of what was freed`);
        objects.push(p);
      }
      heap.checkInvariants();
      for (const p of objects) way.free(p);
    }
    heap.detach();
    settle(other);
    other.detach();
    assert.equal(usedObjects(heap), 0);
  });

  test("faults inside the library: 0, and nothing is lost", () => {
    const heap = debugHeap();
    for (const way of waysOf(heap, 700)) {
      const objects: number[] = [];
      for (const site of ["pages", "slab"] as const) {
        using _ = heap.faultInject({ site, every: 2 });
        for (let i = 0; i < 100; i++) objects.push(way.alloc(700));
      }
      for (const p of objects) way.free(p);
      heap.checkInvariants();
    }
    heap.detach();
    assert.equal(usedObjects(heap), 0);
  });
});

describe("groups", () => {
  test("are charged with what lies around objects too; at the limit quarantine is given up first", () => {
    const heap = debugHeap();
    const group = heap.memcg({ name: "tenant", max: 64 * 1024 });
    const pool = heap.memCache({ name: "fixed", size: 1024 - AROUND, memcg: group });
    const objects: number[] = [];
    for (let p = pool.alloc(); p !== 0; p = pool.alloc()) objects.push(p);
    assert.equal(objects.length, 64);
    assert.equal(group.current, 64 * 1024);
    assert.equal(group.failures, 1);
    pool.free(objects[0]);
    assert.notEqual(pool.alloc(), 0);
    group.onMax(() => pool.free(objects[1]));
    assert.notEqual(pool.alloc(), 0, "what a function for full groups freed");
    assert.equal(group.failures, 1);
    heap.checkInvariants();
  });
});

describe("destroy", () => {
  test("names the objects that are out as the program does, and where each was allocated", async () => {
    const [heap, other] = debugCpus(2);
    const pool = heap.memCache({ name: "fixed", size: 40 });
    const [p, first] = [pool.alloc(), here()];
    const there = other.memCache({ name: "fixed", size: 40 });
    const [q, second] = [there.alloc(), here()];
    pool.free(there.alloc());
    there.freeRcu(pool.alloc());
    const end = pool.destroy();
    for (let i = 0; i < 20; i++) for (const each of [heap, other]) each.poll();
    const { leaked, allocatedAt = [] } = await end;
    assert.deepEqual(leaked.toSorted(), [p, q].toSorted());
    for (const [object, place] of [
      [p, first],
      [q, second],
    ] as const)
      saysSites(`allocated at ${allocatedAt[leaked.indexOf(object)]} `, place);
    assert.equal(usedObjects(heap), 2);
  });

  test("rejects with what it finds: in quarantine, and around objects that are out", async () => {
    const heap = debugHeap();
    const pool = heap.memAlloc({ name: "any" });
    const [p, first] = [pool.alloc(40), here()];
    const [q, second] = [pool.alloc(50), here()];
    const [, freed] = [pool.free(q), here()];
    heap.u8[p + 40] = 1;
    heap.u8[q] = 1;
    const end = pool.destroy();
    for (let i = 0; i < 20; i++) heap.poll();
    const [found, out] = (await end.catch((error: Error) => error.message)).toString().split("\n");
    saysSites(found, second, freed);
    saysSites(out, first);
  });
});

test("a release heap beside it is one: no zones, no records, classes of its own", () => {
  const debug = debugHeap();
  const plain = SharedHeap.create({ bytes: MIB, turns: false });
  assert.equal(plain.stats().debug, undefined);
  const pools = [debug, plain].map((heap) => [heap.memAlloc({ name: "a" }), heap.memCache({ size: 8 })]);
  for (const i of [0, 1]) {
    assert.notEqual(Object.getPrototypeOf(pools[0][i]), Object.getPrototypeOf(pools[1][i]));
    assert.equal(
      Object.getPrototypeOf(Object.getPrototypeOf(pools[0][i])),
      Object.getPrototypeOf(pools[1][i]),
    );
  }
  const [p, q] = [plain.kmalloc(8), plain.kmalloc(8)];
  assert.equal(Math.abs(p - q), 8);
  assert.deepEqual(
    debug
      .stats()
      .slabs.map(({ name }) => name)
      .filter((name) => name.endsWith("-16384")),
    ["kmalloc-16384", "memalloc-16384"],
  );
  assert.ok(!plain.stats().slabs.some(({ name }) => name.endsWith("-16384")));
  assert.equal(UNIT_SIZES.length, 11);
});
