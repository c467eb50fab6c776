import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HeapView } from "#src/arena/index.js";

const token = { buffer: new SharedArrayBuffer(256), byteOffset: 64, byteLength: 128 };

test("a view lies in its window, begins at p and is at most as long as asked for", () => {
  fc.assert(
    fc.property(fc.nat(15), fc.nat(300), (eighth, bytes) => {
      const view = new HeapView(token, eighth * 8, bytes);
      const length = Math.min(bytes, 128 - eighth * 8);
      for (const array of [view.u8, view.i32, view.u32, view.f32, view.f64]) {
        assert.equal(array.buffer, token.buffer);
        assert.equal(array.byteOffset, 64 + eighth * 8);
        assert.equal(array.length, Math.floor(length / array.BYTES_PER_ELEMENT));
      }
    }),
  );
});

test("all views show the same memory", () => {
  const view = new HeapView(token, 8, 16);
  view.f64[0] = 1.5;
  assert.equal(new Float64Array(token.buffer, 72, 1)[0], 1.5);
  view.i32[2] = -1;
  assert.deepEqual([...view.u8.subarray(8, 13), view.u32[2]], [255, 255, 255, 255, 0, 0xffffffff]);
});
