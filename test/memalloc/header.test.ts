/** Callers lie: each wrong free is told apart, and changes nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SharedHeap, type SharedHeapErrorCode } from "sharedheap";
import { checkWord, keyOf, payloadOf } from "#src/memalloc/header.js";
import { OBJECT_CHECK, OBJECT_HOME } from "#src/memalloc/layout.js";
import { UNIT_SIZES } from "#src/memalloc/sizes.js";
import { allocMany, changesNothing, cpusOf, freeAll, MIB, nodeOf, oneCpu, refuses } from "./heaps.ts";

/** Frees whatever it is given, as JavaScript would. */
interface Liar {
  free(p: unknown): void;
}

function setUp() {
  const heap = oneCpu({ bytes: MIB });
  const any = heap.memAlloc({ name: "any" });
  const fixed = heap.memCache({ name: "fixed", size: 56 });
  return { heap, any, fixed, pools: [any, fixed] as unknown as Liar[] };
}

describe("words of a header", () => {
  const offset = fc.integer({ min: 512, max: 2 ** 29 - 1 }).map((units) => units * 8);
  const home = fc.integer({ min: 0, max: 2 ** 30 - 1 });
  const percpu = fc.integer({ min: 0, max: 2 ** 14 }).map((lines) => lines * 16);

  test("the check word is negative and tells offset, home and key apart", () => {
    fc.assert(
      fc.property(offset, home, percpu, fc.integer({ min: 1, max: 2 ** 29 }), (p, at, index, delta) => {
        const check = checkWord(p, at, keyOf(index, 1));
        assert.ok(check < 0);
        assert.notEqual(checkWord(p, at ^ delta, keyOf(index, 1)), check);
        assert.notEqual(checkWord(p, at, keyOf(index + 16, 1)), check);
        for (let i = 1; i < 8; i++) assert.notEqual(checkWord(p + i, at, keyOf(index, 1)), check);
      }),
    );
  });

  test("no two allocators have the same key", () => {
    const keys = Array.from({ length: 2 ** 14 }, (_, line) => keyOf(line * 16, 1));
    assert.equal(new Set(keys).size, keys.length);
    assert.ok(keys.every((key) => key < 0));
  });

  test("a payload begins 8 bytes behind its object, up to 4 GiB", () => {
    assert.equal(payloadOf(1024), 4104);
    assert.equal(payloadOf(2 ** 30 - 1024), 2 ** 32 - 4088);
  });

  test("a live object's words are its home and its check word", () => {
    const { heap, fixed } = setUp();
    const node = nodeOf(fixed.alloc());
    assert.ok(heap.i32[node + OBJECT_HOME] > 0);
    assert.ok(heap.i32[node + OBJECT_CHECK] < 0);
  });
});

test("NULL and ZERO_SIZE_PTR are ignored", () => {
  const { heap, any, fixed } = setUp();
  for (const p of [0, -0, 16]) {
    for (const pool of [any, fixed]) changesNothing(heap, () => pool.free(p));
    changesNothing(heap, () => heap.kfree(p));
  }
});

test("what is no offset of an object is a bad pointer", () => {
  const { heap, pools } = setUp();
  const lies = [
    ...[1, 4, 8, 12, 24, 4088, 4096, 4104, -1, -8, 1.5, 4104.5],
    ...[
      heap.u8.length - 8,
      heap.u8.length,
      heap.u8.length + 8,
      2 ** 31,
      2 ** 32 - 8,
      2 ** 32,
      2 ** 32 + 4104,
      2 ** 53,
    ],
    ...[Number.NaN, Infinity, -Infinity, undefined, null, true, "", "16", "4104", {}, []],
  ];
  for (const pool of pools) {
    for (const lie of lies) refuses(heap, "bad-pointer", () => pool.free(lie), JSON.stringify(lie));
  }
});

test("a BigInt is a bad pointer too", () => {
  const { heap, pools } = setUp();
  for (const pool of pools) refuses(heap, "bad-pointer", () => pool.free(4104n));
});

test("misaligned by 1 to 7", () => {
  const { heap, any, fixed } = setUp();
  for (const pool of [any, fixed]) {
    const p = pool.alloc(56);
    for (let i = 1; i < 8; i++) {
      refuses(heap, "bad-pointer", () => pool.free(p + i), `+${i}`);
      refuses(heap, "bad-pointer", () => pool.free(p - i), `-${i}`);
    }
    pool.free(p);
  }
});

test("inside an object, or at its header", () => {
  const { heap, any } = setUp();
  for (const unit of UNIT_SIZES) {
    const p = any.alloc(unit - 8);
    heap.i32.fill(-1, p / 4, (p + unit - 8) / 4);
    refuses(heap, "bad-pointer", () => any.free(p - 8), `unit ${unit}, header`);
    for (let i = 8; i < unit - 8; i += 8)
      refuses(heap, "bad-pointer", () => any.free(p + i), `unit ${unit}, +${i}`);
    any.free(p);
  }
});

test("any number that is not an object's offset is refused", () => {
  const { heap, any, fixed } = setUp();
  const live = new Set([...allocMany(any, 100, 50), ...allocMany(fixed, 56, 50)]);
  const number = fc.oneof(
    fc.nat(heap.u8.length),
    fc.nat(heap.u8.length / 8).map((n) => n * 8),
    fc.double(),
  );
  const codes = new Set<string>(["bad-pointer", "double-free"]);
  fc.assert(
    fc.property(number, (p) => {
      if (live.has(p) || p === 0 || p === 16) return;
      changesNothing(heap, () => {
        for (const pool of [any, fixed])
          assert.throws(
            () => pool.free(p),
            (error: Error & { code: string }) => codes.has(error.code),
          );
      });
    }),
    { numRuns: 500 },
  );
});

describe("freeing twice", () => {
  for (const unit of UNIT_SIZES) {
    test(`unit ${unit}`, () => {
      const { heap, any } = setUp();
      const p = any.alloc(unit - 8);
      any.free(p);
      const message = refuses(heap, "double-free", () => any.free(p));
      assert.ok(message.includes(`"any"`) && message.includes(String(p)), message);
      heap.checkInvariants();
    });

    test(`unit ${unit}, wherever the object has gone`, () => {
      const { heap, any } = setUp();
      const objects = allocMany(any, unit - 8, 150);
      const codes = { "double-free": 0, "bad-pointer": 0 };
      const freeAgain = (p: number) => {
        codes[changesNothing(heap, () => codeOf(() => any.free(p))) as keyof typeof codes]++;
      };
      for (const p of objects) {
        any.free(p);
        freeAgain(p);
      }
      // on lists, in chains and in slab now; where slab gave a page back, nothing is known of its objects
      objects.forEach(freeAgain);
      assert.equal(codes["double-free"] + codes["bad-pointer"], 300);
      assert.ok(codes["double-free"] >= (unit <= 256 ? 150 : 2), JSON.stringify(codes));
      heap.checkInvariants();
    });
  }

  test("by another CPU, and after the first has detached", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const first = a.memAlloc({ name: "any" });
    const second = b.memAlloc({ name: "any" });
    const keep = first.alloc(100);
    const p = first.alloc(100);
    second.free(p);
    refuses(a, "double-free", () => first.free(p));
    refuses(a, "double-free", () => second.free(p));
    a.detach();
    refuses(b, "double-free", () => second.free(p));
    second.free(keep);
  });

  test("after the object went back to slab", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const leaving = a.memCache({ name: "fixed", size: 56 });
    const staying = b.memCache({ name: "fixed", size: 56 });
    const objects = allocMany(leaving, 56, 80);
    freeAll(leaving, objects.slice(0, 40));
    a.detach();
    for (const p of objects.slice(0, 40)) refuses(b, "double-free", () => staying.free(p), String(p));
    freeAll(staying, objects.slice(40));
  });
});

function codeOf(call: () => void): SharedHeapErrorCode | "none" {
  try {
    call();
    return "none";
  } catch (error) {
    return (error as { code: SharedHeapErrorCode }).code;
  }
}

describe("freeing into another allocator", () => {
  test("is refused, and the message says where the object belongs", () => {
    const { heap, any, fixed } = setUp();
    const twin = heap.memCache({ name: "twin", size: 56 });
    const other = heap.memAlloc({ name: "other" });
    const p = fixed.alloc();
    const q = any.alloc(56);
    for (const pool of [twin, any, other]) {
      assert.match(
        refuses(heap, "wrong-cache", () => pool.free(p)),
        /"fixed"/,
      );
    }
    for (const pool of [twin, fixed, other]) {
      assert.match(
        refuses(heap, "wrong-cache", () => pool.free(q)),
        /"any"/,
      );
    }
    fixed.free(p);
    any.free(q);
    heap.checkInvariants();
  });

  test("of another CPU too", () => {
    const [a, b] = cpusOf(2, { bytes: MIB });
    const p = a.memCache({ name: "one", size: 56 }).alloc();
    const other = b.memCache({ name: "two", size: 56 });
    refuses(a, "wrong-cache", () => other.free(p));
  });
});

describe("kmalloc and the allocators", () => {
  test("kfree refuses their objects", () => {
    const { heap, any, fixed } = setUp();
    for (const unit of UNIT_SIZES) {
      const p = any.alloc(unit - 8);
      refuses(heap, "bad-pointer", () => heap.kfree(p), `unit ${unit}`);
      refuses(heap, "bad-pointer", () => heap.kfree(p - 8), `unit ${unit}, its header`);
      any.free(p);
    }
    const p = fixed.alloc();
    refuses(heap, "bad-pointer", () => heap.kfree(p));
  });

  test("they refuse kmalloc's objects", () => {
    const { heap, pools } = setUp();
    for (const bytes of [16, 32, 64, 100, 1000, 5000, 20_000, 200_000]) {
      const p = heap.kmalloc(bytes);
      for (const fill of [0, 1, -1]) {
        heap.i32.fill(fill, p / 4, (p + bytes) / 4);
        for (const pool of pools) refuses(heap, "bad-pointer", () => pool.free(p), `kmalloc(${bytes})`);
      }
      heap.kfree(p);
    }
  });

  test("they refuse kmalloc's objects of 8 bytes, and the inside of others, whatever the words there are", () => {
    const { heap, pools } = setUp();
    const [before, small, large] = [heap.kmalloc(8), heap.kmalloc(8), heap.kmalloc(64)];
    for (const fill of [0, 1, 1000, -1]) {
      heap.i32.fill(fill, before / 4, (before + 8) / 4);
      heap.i32.fill(fill, large / 4, (large + 64) / 4);
      for (const p of [small, large + 8]) {
        for (const pool of pools) refuses(heap, "bad-pointer", () => pool.free(p), `words are ${fill}`);
      }
    }
  });
});

test("an overwritten header is a bad pointer, not another allocator's", () => {
  const { heap, any } = setUp();
  const p = any.alloc(100);
  const node = nodeOf(p);
  const [home, check] = [heap.i32[node + OBJECT_HOME], heap.i32[node + OBJECT_CHECK]];
  heap.i32.fill(-1, node, node + 2);
  assert.match(
    refuses(heap, "bad-pointer", () => any.free(p)),
    /overwritten/,
  );
  heap.i32[node + OBJECT_HOME] = home;
  heap.i32[node + OBJECT_CHECK] = check;
  any.free(p);
  heap.checkInvariants();
});

/** Takes the memory below `limit` away. */
function fillBelow(heap: SharedHeap, limit: number): void {
  for (const bytes of [2 ** 22, 2 ** 17, 4096]) {
    let p = heap.kmalloc(bytes);
    while (p !== 0 && p < limit) p = heap.kmalloc(bytes);
    heap.kfree(p);
  }
}

for (const gib of [2, 3]) {
  test(`an offset above ${gib} GiB is an object's like any other`, () => {
    const heap = SharedHeap.create({ bytes: (gib + 0.25) * 2 ** 30, maxCpus: 1 });
    fillBelow(heap, gib * 2 ** 30);
    const any = heap.memAlloc({ name: "any" });
    const p = any.alloc(100);
    assert.ok(p > gib * 2 ** 30, String(p));
    any.free(p);
    assert.equal(
      codeOf(() => any.free(p)),
      "double-free",
    );
    for (const lie of [p - 2 ** 32, p | 0, p + 4, p + 8]) {
      assert.equal(
        codeOf(() => any.free(lie)),
        "bad-pointer",
        String(lie),
      );
    }
    assert.equal(any.alloc(100), p);
    any.free(p);
    freeAll(any, allocMany(any, 100, 500));
    heap.checkInvariants();
  });
}
