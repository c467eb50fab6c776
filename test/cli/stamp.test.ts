import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasStamp, writeStamp } from "#src/cli/stamp.js";

function memoryOf(bytes: number) {
  const buffer = new ArrayBuffer(bytes);
  return { i32: new Int32Array(buffer), u8: new Uint8Array(buffer) };
}

test("any flipped bit of any byte is found", () => {
  for (const size of [1, 2, 3, 4, 5, 7, 8, 64, 101]) {
    const memory = memoryOf(128);
    writeStamp(memory, 16, size, 7);
    assert.ok(hasStamp(memory, 16, size, 7));
    for (let bit = 0; bit < size * 8; bit++) {
      const at = 16 + (bit >>> 3);
      memory.u8[at] = (memory.u8[at] as number) ^ (1 << (bit & 7));
      assert.ok(!hasStamp(memory, 16, size, 7), `size ${size} bit ${bit}`);
      memory.u8[at] = (memory.u8[at] as number) ^ (1 << (bit & 7));
    }
    assert.ok(hasStamp(memory, 16, size, 7));
  }
});

test("not a byte beside the object is written", () => {
  for (let size = 0; size < 40; size++) {
    const memory = memoryOf(64);
    memory.u8.fill(0xee);
    writeStamp(memory, 8, size, size);
    const outside = [...memory.u8.subarray(0, 8), ...memory.u8.subarray(8 + size)];
    assert.ok(
      outside.every((byte) => byte === 0xee),
      `size ${size}`,
    );
  }
});

test("an object of no bytes is always right", () => {
  const memory = memoryOf(32);
  writeStamp(memory, 16, 0, 1);
  assert.ok(hasStamp(memory, 16, 0, 2));
});

test("two objects that share a word are noticed, wherever they overlap", () => {
  const ids = fc.integer({ min: 0, max: 2 ** 22 });
  const sizes = fc.integer({ min: 4, max: 400 });
  fc.assert(
    fc.property(ids, ids, sizes, sizes, fc.nat(99), (first, second, firstSize, secondSize, shift) => {
      fc.pre(first !== second && shift * 4 + 4 <= firstSize);
      const memory = memoryOf(1024);
      writeStamp(memory, 8, firstSize, first);
      writeStamp(memory, 8 + shift * 4, secondSize, second);
      assert.ok(!hasStamp(memory, 8, firstSize, first));
    }),
  );
});

test("beyond the end of the memory nothing matches", () => {
  const memory = memoryOf(64);
  writeStamp(memory, 56, 16, 3);
  assert.ok(!hasStamp(memory, 56, 16, 3));
});
