/** heap.malloc, heap.free, heap.kmalloc, heap.kfree, heap.view. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import {
  booksOf,
  changesNothing,
  cpusOf,
  exhaust,
  MIB,
  oneCpu,
  refuses,
  throwsCode,
  usedObjects,
} from "../memalloc/heaps.ts";

const SIZES = [1, 8, 100, 4088, 4089, 4096, 4097, 8192, 8193, 10_000, 65_536, MIB, 5 * MIB, 64 * MIB];

/** What takes any argument, as JavaScript would. */
interface Liar {
  malloc(bytes: unknown): number;
  kmalloc(bytes: unknown, flags?: unknown): number;
  free(p: unknown): void;
  kfree(p: unknown): void;
  view(p: unknown): unknown;
}

describe("malloc", () => {
  test("gives memory of any size up to 64 MiB, all of it usable", () => {
    const heap = SharedHeap.create({ bytes: 160 * MIB, maxCpus: 2 });
    const other = SharedHeap.attach(heap.token);
    const blocks = SIZES.map((bytes) => ({ p: heap.malloc(bytes), bytes }));
    blocks.forEach(({ p, bytes }, i) => {
      assert.ok(p > 0 && p % 8 === 0, `malloc(${bytes})`);
      heap.u8.fill(i + 1, p, p + bytes);
    });
    blocks.forEach(({ p, bytes }, i) => {
      assert.deepEqual(
        [heap.u8[p], heap.u8[p + (bytes >> 1)], heap.u8[p + bytes - 1]],
        [i + 1, i + 1, i + 1],
      );
    });
    heap.checkInvariants();
    for (const { p } of blocks) other.free(p);
    heap.checkInvariants();
    assert.equal(heap.stats().large.blocks, 0);
    assert.equal(booksOf(heap, "malloc").out, 0);
  });

  test("size 0 is ZERO_SIZE_PTR, which free ignores", () => {
    const heap = oneCpu();
    assert.equal(heap.malloc(0), 16);
    changesNothing(heap, () => heap.free(16));
    changesNothing(heap, () => heap.free(0));
  });

  test("more than there is, or than a block can be, is NULL", () => {
    const heap = oneCpu({ bytes: MIB });
    for (const bytes of [MIB, 2 ** 27, 2 ** 27 + 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1])
      assert.equal(heap.malloc(bytes), 0);
    heap.checkInvariants();
  });

  test("what is no size is refused, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB });
    heap.malloc(1);
    const liar = heap as unknown as Liar;
    for (const size of [
      -1,
      1.5,
      Number.NaN,
      2 ** 53,
      Infinity,
      "8",
      undefined,
      null,
      {},
      "5000",
      5000.5,
      -5000,
    ]) {
      refuses(heap, "bad-size", () => liar.malloc(size), String(size));
      refuses(heap, "bad-size", () => liar.kmalloc(size), String(size));
    }
  });

  test("all threads share one allocator, of their programs' name for it", () => {
    const [a, b] = cpusOf(2);
    const p = a.malloc(100);
    b.memAlloc({ name: "malloc" }).free(p);
    assert.equal(booksOf(a, "malloc").out, 0);
  });

  test("is not NULL while this thread's stock of smaller blocks has the room", () => {
    const heap = oneCpu({ bytes: MIB });
    const objects = exhaust({ alloc: (n) => heap.malloc(n), free: (p) => heap.free(p) }, 4088);
    for (const p of objects.slice(100, 104)) heap.free(p);
    assert.notEqual(heap.malloc(4096), 0, "4 pages are in stock");
  });

  test("random sizes on two threads keep apart and come back", () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 40_000 }));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 80 }), (sizes) => {
        const [a, b] = cpusOf(2, { bytes: 8 * MIB });
        const blocks = sizes
          .map((bytes, i) => ({ p: (i % 2 ? a : b).malloc(bytes), bytes }))
          .sort((x, y) => x.p - y.p);
        blocks.forEach(({ p, bytes }, i) => {
          assert.notEqual(p, 0);
          if (i + 1 < blocks.length) assert.ok(p + bytes <= blocks[i + 1].p);
        });
        a.checkInvariants();
        blocks.forEach(({ p }, i) => {
          (i % 3 ? a : b).free(p);
        });
        a.checkInvariants();
        a.detach();
        b.detach();
        assert.equal(usedObjects(a) + a.stats().large.pages, 0);
      }),
      { numRuns: 40 },
    );
  });
});

describe("free", () => {
  test("the second time is told, for small blocks and for large ones", () => {
    const heap = oneCpu({ bytes: MIB });
    const [small, large] = [heap.malloc(100), heap.malloc(20_000)];
    heap.free(small);
    heap.free(large);
    refuses(heap, "double-free", () => heap.free(small));
    refuses(heap, "bad-pointer", () => heap.free(large));
  });

  test("what malloc never returned is refused, and changes nothing", () => {
    const heap = oneCpu({ bytes: MIB });
    const liar = heap as unknown as Liar;
    const [small, page, large] = [heap.malloc(100), heap.malloc(4096), heap.malloc(20_000)];
    heap.u8.fill(0xff, page, page + 4096);
    const lies = [
      ...[
        1,
        -1,
        1.5,
        4096,
        8192,
        -4096,
        MIB,
        MIB + 4096,
        2 ** 32,
        2 ** 53,
        Number.NaN,
        Infinity,
        undefined,
        "4096",
        {},
        [],
      ],
      ...[small + 1, small + 4, small + 8, page + 8, page + 1024, large + 8, large + 4096, large + 16_384],
    ];
    for (const lie of lies) {
      refuses(heap, "bad-pointer", () => liar.free(lie), String(lie));
      refuses(heap, "bad-pointer", () => liar.kfree(lie), String(lie));
    }
  });

  test("an object's header is refused, also where it begins a page", () => {
    const heap = oneCpu({ bytes: MIB });
    for (const bytes of [100, 4088]) {
      const objects = Array.from({ length: 100 }, () => heap.malloc(bytes));
      const first = objects.find((p) => (p - 8) % 4096 === 0) as number;
      for (const p of [objects[50], first])
        refuses(heap, "bad-pointer", () => heap.free(p - 8), `${bytes} bytes at ${p}`);
    }
  });

  test("a wrong free that is the first call on a thread changes nothing either", () => {
    for (const lie of [Number.NaN, -1, 1.5, 8, "x"]) {
      const heap = oneCpu({ bytes: MIB });
      refuses(heap, "bad-pointer", () => (heap as unknown as Liar).free(lie), String(lie));
    }
  });

  test("works on a thread that attached when the heap was full", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const objects = exhaust({ alloc: (n) => a.malloc(n), free: (p) => a.free(p) }, 1000);
    for (const p of objects) b.free(p);
    a.checkInvariants();
    assert.equal(booksOf(a, "malloc").out, 0);
    assert.notEqual(b.malloc(1000), 0);
  });
});

describe("kmalloc", () => {
  test("its objects are not the allocators', nor theirs its own", () => {
    const heap = oneCpu({ bytes: MIB });
    const [p, q] = [heap.malloc(100), heap.kmalloc(100)];
    heap.i32.fill(-1, q / 4, q / 4 + 25);
    refuses(heap, "bad-pointer", () => heap.kfree(p));
    refuses(heap, "bad-pointer", () => heap.free(q));
    heap.free(p);
    heap.kfree(q);
    heap.checkInvariants();
  });

  test("flags it does not know are refused", () => {
    const heap = oneCpu({ bytes: MIB });
    for (const flags of [2, -1, 3]) refuses(heap, "bad-option", () => heap.kmalloc(8, flags), String(flags));
  });
});

describe("view", () => {
  test("begins at the offset, and is as long as was asked", () => {
    const heap = oneCpu({ bytes: MIB });
    const p = heap.malloc(64);
    const view = heap.view(p, 64);
    view.u32[0] = 42;
    view.f64[7] = 0.5;
    assert.deepEqual([heap.u32[p / 4], heap.f64[p / 8 + 7]], [42, 0.5]);
    assert.deepEqual(
      [view.u8, view.i32, view.u32, view.f32, view.f64].map(({ length }) => length),
      [64, 16, 16, 16, 8],
    );
    assert.equal(heap.view(p).u8.length, MIB - p);
  });

  test("of what is no offset is refused", () => {
    const heap = oneCpu({ bytes: MIB });
    for (const p of [1, 4, -8, 1.5, MIB, 2 ** 32, Number.NaN, undefined, "8"]) {
      throwsCode("bad-pointer", () => (heap as unknown as Liar).view(p), String(p));
    }
  });
});
