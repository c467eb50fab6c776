/** SharedHeap.create: its options, and what it says about those that won't do. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CreateOptions, SharedHeap } from "sharedheap";
import { MIB, oneCpu, throwsCode } from "../memalloc/heaps.ts";

/** WebAssembly, of which the types here know nothing. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Memory: new (descriptor: {
      initial: number;
      maximum: number;
      shared: boolean;
    }) => { readonly buffer: SharedArrayBuffer };
  };
};

/** Options as JavaScript may give them. */
function create(options: Record<string, unknown>): SharedHeap {
  return SharedHeap.create(options as CreateOptions);
}

describe("options", () => {
  test("all have defaults", () => {
    const heap = SharedHeap.create();
    assert.deepEqual([heap.cpu, heap.isShared, heap.u8.length], [0, true, 64 * MIB]);
    assert.equal(heap.stats().maxCpus, 8);
    assert.notEqual(heap.malloc(100), 0);
    heap.checkInvariants();
  });

  test("what is given is what the heap has", () => {
    const heap = SharedHeap.create({
      bytes: 3 * MIB,
      maxCpus: 3,
      maxNames: 20,
      percpuBytes: 32 * 1024,
      name: "main",
    });
    const { bytes, maxCpus, cpus } = heap.stats();
    assert.deepEqual([bytes, maxCpus, cpus[0].name], [3 * MIB, 3, "main"]);
    for (let i = 0; i < 20; i++) heap.roots.set(`root ${i}`, i);
    throwsCode("limit", () => heap.roots.set("one more", 1));
  });

  test("bytes that are no whole pages are rounded down", () => {
    const heap = SharedHeap.create({ bytes: 2 * MIB + 4000, maxCpus: 1 });
    assert.equal(heap.stats().bytes, 2 * MIB);
    heap.checkInvariants();
  });

  const bad: [string, unknown[]][] = [
    ["bytes", [0, -1, 4095, 1.5, Number.NaN, Infinity, 2 ** 32 + 1, 2 ** 53, "64", {}]],
    ["maxCpus", [0, -1, 65, 1.5, Number.NaN, "8", {}]],
    ["percpuBytes", [0, 8192, 20_000, 2 ** 21, 1.5, Number.NaN, "16384"]],
    ["maxNames", [0, 15, 65_537, 16.5, Number.NaN, "16"]],
    ["preTouch", [0, 1, "true", {}]],
  ];
  for (const [option, values] of bad) {
    test(`bad values of ${option} are refused by name`, () => {
      for (const value of values) {
        const message = throwsCode(
          "bad-option",
          () => create({ [option]: value }),
          `${option}: ${String(value)}`,
        );
        assert.match(message, new RegExp(`^${option} is `));
      }
    });
  }

  test("bad names are refused", () => {
    for (const name of ["", "x".repeat(29), "é", "a\tb", 7, null, {}, Symbol("a")]) {
      throwsCode("bad-name", () => create({ name }), String(name));
    }
  });

  test("a heap too small for its tables says how large it must be", () => {
    for (const options of [
      { bytes: 4096 },
      { bytes: 64 * 1024 },
      { bytes: MIB, maxCpus: 64 },
      { bytes: MIB, maxNames: 65536 },
    ]) {
      const message = throwsCode("bad-option", () => SharedHeap.create(options));
      const needed = Number(/needs at least (\d+) bytes/.exec(message)?.[1]);
      assert.ok(needed > options.bytes, message);
      const heap = SharedHeap.create({ ...options, bytes: needed });
      heap.checkInvariants();
      throwsCode("bad-option", () => SharedHeap.create({ ...options, bytes: needed - 4096 }));
    }
  });
});

describe("memory of the caller's", () => {
  test("a WebAssembly.Memory, all of it", () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });
    const heap = SharedHeap.create({ memory, maxCpus: 2 });
    assert.equal(heap.u8.length, 2 * MIB);
    assert.equal(heap.token.buffer, memory.buffer);
    const p = heap.malloc(100);
    heap.u32[p / 4] = 42;
    assert.equal(new Uint32Array(memory.buffer)[p / 4], 42);
  });

  test("a window of it, with the rest left alone", () => {
    const memory = { buffer: new SharedArrayBuffer(4 * MIB) };
    const all = new Uint8Array(memory.buffer).fill(0x5a);
    const heap = SharedHeap.create({ memory, byteOffset: MIB + 8, byteLength: 2 * MIB, maxCpus: 2 });
    const other = SharedHeap.attach(heap.token);
    const objects = [];
    for (let p = heap.malloc(3000); p !== 0; p = heap.malloc(3000)) objects.push(p);
    for (const p of objects) heap.u8.fill(0xff, p, p + 3000);
    heap.f64[objects[0] >>> 3] = 1.5;
    assert.equal(other.f64[objects[0] >>> 3], 1.5);
    assert.equal(new DataView(memory.buffer).getFloat64(MIB + 8 + objects[0], true), 1.5);
    for (const p of objects) other.free(p);
    heap.checkInvariants();
    assert.ok(all.subarray(0, MIB + 8).every((byte) => byte === 0x5a));
    assert.ok(all.subarray(3 * MIB + 8).every((byte) => byte === 0x5a));
  });

  test("whatever it holds", () => {
    for (const fill of [0xff, 0x01, 0x80]) {
      const memory = { buffer: new SharedArrayBuffer(MIB) };
      new Uint8Array(memory.buffer).fill(fill);
      const heap = SharedHeap.create({ memory, maxCpus: 2 });
      heap.checkInvariants();
      const p = heap.malloc(100);
      assert.ok(heap.u8.subarray(p, p + 100).every((byte) => byte === 0));
      SharedHeap.attach(heap.token).free(p);
      heap.checkInvariants();
    }
  });

  test("two heaps in one buffer", () => {
    const memory = { buffer: new SharedArrayBuffer(2 * MIB) };
    const [a, b] = [0, MIB].map((byteOffset) =>
      SharedHeap.create({ memory, byteOffset, byteLength: MIB, maxCpus: 1 }),
    );
    for (let i = 0; i < 300; i++) assert.ok(a.malloc(1000) !== 0 && b.malloc(1000) !== 0);
    a.checkInvariants();
    b.checkInvariants();
  });

  test("a plain ArrayBuffer makes a heap of this thread's own", () => {
    const heap = SharedHeap.create({ memory: { buffer: new ArrayBuffer(MIB) }, maxCpus: 1 });
    assert.equal(heap.isShared, false);
    assert.notEqual(heap.malloc(100), 0);
  });

  test("a window that does not lie in the buffer, or not on 8 bytes, is refused and left alone", () => {
    const memory = { buffer: new SharedArrayBuffer(MIB) };
    const windows = [
      { byteOffset: 4 },
      { byteOffset: -8 },
      { byteOffset: 1.5 },
      { byteOffset: Number.NaN },
      { byteOffset: 2 * MIB },
      { byteLength: MIB + 1 },
      { byteOffset: 8, byteLength: MIB },
      { byteLength: -1 },
      { byteLength: 1.5 },
      { byteLength: 100 },
      { byteOffset: "8" },
    ];
    for (const window of windows)
      throwsCode("bad-option", () => create({ memory, ...window }), JSON.stringify(window));
    assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
  });

  test("a heap that is there already is left alone by a create that fails", () => {
    const memory = { buffer: new SharedArrayBuffer(MIB) };
    const heap = SharedHeap.create({ memory, maxCpus: 2 });
    throwsCode("bad-option", () => SharedHeap.create({ memory, maxCpus: 64 }));
    heap.checkInvariants();
    SharedHeap.attach(heap.token);
  });

  test("what has no buffer is refused", () => {
    for (const memory of [{}, null, 7, { buffer: null }, { buffer: {} }, { buffer: new Uint8Array(MIB) }]) {
      throwsCode("bad-option", () => create({ memory, maxCpus: 1 }), JSON.stringify(memory));
    }
  });
});

describe("the views", () => {
  test("reach to the end of the heap, up to 4 GiB", () => {
    for (const bytes of [MIB, 2 ** 31, 2 ** 31 + 4096, 2 ** 32 - 4096, 2 ** 32]) {
      const { u8, i32, u32, f32, f64 } = oneCpu({ bytes });
      const lengths = [u8, i32, u32, f32, f64].map((view) => view.byteLength);
      assert.deepEqual(lengths, [bytes, bytes, bytes, bytes, bytes]);
    }
  });
});
