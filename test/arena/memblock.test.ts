import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memblock } from "#src/arena/index.js";

const reservation = fc.record({ count: fc.nat(5000), shift: fc.nat(12) });

test("reservations are aligned, in order and apart", () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.array(reservation, { maxLength: 30 }), (from, reservations) => {
      const memblock = new Memblock(from);
      let end = from;
      for (const { count, shift } of reservations) {
        const at = memblock.reserve(count, 1 << shift);
        assert.equal(at % (1 << shift), 0);
        assert.ok(at >= end && at - end < 1 << shift, "no more is skipped than the alignment needs");
        end = at + count;
        assert.equal(memblock.end, end);
      }
    }),
  );
});

test("without an alignment each begins on a line of its own", () => {
  const memblock = new Memblock(1);
  assert.deepEqual([memblock.reserve(1), memblock.reserve(17), memblock.reserve(1)], [16, 32, 64]);
});

test("the same reservations give the same addresses", () => {
  const addresses = [new Memblock(1024), new Memblock(1024)].map((memblock) =>
    [3, 700, 16, 1].map((count, i) => memblock.reserve(count, 16 << i)),
  );
  assert.deepEqual(addresses[0], addresses[1]);
});
