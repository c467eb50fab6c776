import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatArena, type HeapToken } from "#src/arena/index.js";
import { type Booted, bootCreator } from "#src/boot.js";
import { GFP_ZERO } from "#src/mm/index.js";
import { attachTo, bytesOf, detach, KIB, MIB } from "../support/heaps.ts";
import { fillWithGarbage } from "../support/random.ts";
import { assertSound, managedPages, usedObjects } from "../support/sound.ts";

const SIZES = [1, 8, 24, 100, 500, 2000, 4096, 8000, 20_000, 100_000];

/** Makes a heap in memory that holds anything. */
function dirtyHeap(token: HeapToken): Booted {
  return bootCreator(formatArena(token, { maxCpus: 2, maxNames: 32 }), "creator", true);
}

/** Uses the heap on two CPUs; all that was handed out lies inside, was zeroed, and goes back. */
function exercise(first: Booted): void {
  const second = attachTo(first, "second");
  const offsets = SIZES.map((size, i) => [first, second][i % 2]?.kmalloc.alloc(size, GFP_ZERO) ?? 0);
  const bytes = bytesOf(first);
  offsets.forEach((p, i) => {
    const object = bytes.subarray(p, p + (SIZES[i] ?? 0));
    assert.ok(p > 0 && p + object.length <= bytes.length);
    assert.ok(object.every((byte) => byte === 0));
    object.fill(0xee);
  });
  assertSound(first);
  for (const p of offsets) first.kmalloc.free(p);
  assertSound(first);
  detach(second);
  assert.deepEqual(usedObjects(first), new Map());
}

test("a heap in a window of a bigger buffer never touches what is around it", () => {
  const shape = fc.record({
    before: fc.nat(600).map((eighth) => eighth * 8),
    bytes: fc.integer({ min: 600 * KIB, max: 2 * MIB }),
    after: fc.nat(5000),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(shape, ({ before, bytes, after, seed }) => {
      const around = new Uint8Array(new SharedArrayBuffer(before + bytes + after));
      fillWithGarbage(around, seed);
      const copy = around.slice();
      const system = dirtyHeap({ buffer: around.buffer, byteOffset: before, byteLength: bytes });
      exercise(system);
      for (let rest = managedPages(system) - system.pages.held; rest > 0; rest--) {
        system.pages.zero(system.pages.alloc(1), 1);
      }
      const end = before + bytes - (bytes % 4096);
      assert.equal(Buffer.compare(around.subarray(0, before), copy.subarray(0, before)), 0);
      assert.equal(Buffer.compare(around.subarray(end), copy.subarray(end)), 0);
    }),
    { numRuns: 25 },
  );
});

test("garbage-filled memory becomes a sound heap, time and again", () => {
  const buffer = new SharedArrayBuffer(MIB);
  const token = { buffer, byteOffset: 0, byteLength: MIB };
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      fillWithGarbage(new Uint8Array(buffer), seed);
      const system = dirtyHeap(token);
      assertSound(system);
      assert.deepEqual([system.pages.held, system.directory.count, usedObjects(system).size], [0, 0, 0]);
      assert.deepEqual(
        system.cpus.list().map(({ state, generation }) => [state, generation]),
        [
          ["online", 1],
          ["free", 0],
        ],
      );
      exercise(system);
    }),
    { numRuns: 25 },
  );
});

test("a heap made over a used heap knows nothing of it", () => {
  const token = { buffer: new SharedArrayBuffer(MIB), byteOffset: 0, byteLength: MIB };
  const old = dirtyHeap(token);
  for (let i = 0; i < 200; i++) old.kmalloc.alloc(i * 7);
  const fresh = dirtyHeap(token);
  assertSound(fresh);
  assert.equal(fresh.pages.held, 0);
  exercise(fresh);
});

interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: new (limits: object) => WasmMemory } })
  .WebAssembly;

test("a heap in part of a WebAssembly.Memory", () => {
  const memory = new Memory({ initial: 32, maximum: 64, shared: true });
  new Uint8Array(memory.buffer).fill(0x5a);
  const token = { buffer: memory.buffer, byteOffset: 512 * KIB, byteLength: MIB };
  const system = dirtyHeap(token);
  exercise(system);
  memory.grow(8);
  exercise(system);
  const outside = new Uint8Array(memory.buffer);
  assert.ok(outside.subarray(0, 512 * KIB).every((byte) => byte === 0x5a));
  assert.ok(outside.subarray(1536 * KIB, 2 * MIB).every((byte) => byte === 0x5a));
});

test("a heap of one thread, over a plain ArrayBuffer", () => {
  exercise(dirtyHeap({ buffer: new ArrayBuffer(MIB), byteOffset: 0, byteLength: MIB }));
});
