import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inRange } from "#src/arena/index.js";
import { type Geometry, resolveGeometry } from "#src/arena/options.js";
import { throwsCode } from "../support/errors.ts";
import { KIB, MIB } from "../support/heaps.ts";

const BAD: Record<keyof Omit<Geometry, "bytes">, unknown[]> = {
  maxCpus: [0, 65, -1, 1.5, NaN, Infinity, "8", null, {}, 2 ** 32 + 1],
  percpuBytes: [0, 8 * KIB, 16 * KIB - 1, 16 * KIB + 1, 24 * KIB, 2 * MIB, 32768.5, NaN, "32768"],
  maxNames: [0, 15, 65537, -16, 16.5, NaN, Infinity, "16", true],
  traceImpliesRcu: [0, 1, "true", {}],
  realtime: [0, 1, "rt", {}],
  debug: [0, 1, "on", {}],
};
const GOOD: Record<keyof typeof BAD, unknown[]> = {
  maxCpus: [1, 2, 63, 64],
  percpuBytes: [16, 32, 64, 128, 256, 512, 1024].map((kib) => kib * KIB),
  maxNames: [16, 17, 65535, 65536],
  traceImpliesRcu: [true, false],
  realtime: [true, false],
  debug: [true, false],
};

for (const [option, values] of Object.entries(BAD)) {
  test(`${option} outside its range is a bad-option that names it`, () => {
    for (const value of values.filter((value) => value !== null)) {
      const given = { [option]: value } as Partial<Geometry>;
      throwsCode("bad-option", () => resolveGeometry(given, 64 * MIB), new RegExp(`^${option} is `));
    }
  });
}

for (const [option, values] of Object.entries(GOOD)) {
  test(`${option} may be anything in its range, to both ends`, () => {
    for (const value of values) {
      const geometry = resolveGeometry({ [option]: value }, 64 * MIB);
      assert.equal(geometry[option as keyof Geometry], value);
    }
  });
}

test("bytes: a page to 4 GiB, rounded down to whole pages", () => {
  for (const bytes of [4095, 0, -4096, 4096.5, NaN, 2 ** 32 + 1, 2 ** 32 + 4096]) {
    throwsCode("bad-option", () => resolveGeometry({}, bytes), /^bytes is /);
  }
  assert.equal(resolveGeometry({}, 4096).bytes, 4096);
  assert.equal(resolveGeometry({}, 8191).bytes, 4096);
  assert.equal(resolveGeometry({}, 2 ** 32).bytes, 2 ** 32);
  assert.equal(resolveGeometry({}, 2 ** 32 - 1).bytes, 2 ** 32 - 4096);
});

test("what is not given gets a default that could have been given", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4096, max: 2 ** 32 }),
      fc.integer({ min: 1, max: 64 }),
      (bytes, maxCpus) => {
        const geometry = resolveGeometry({ maxCpus }, bytes);
        assert.deepEqual(resolveGeometry(geometry, geometry.bytes), geometry);
        const areas = geometry.percpuBytes * maxCpus;
        assert.ok(geometry.percpuBytes === 16 * KIB || areas * 32 <= bytes, `${areas} bytes of areas`);
      },
    ),
  );
});

test("inRange lets integers of the range through and nothing else", () => {
  assert.equal(inRange("x", 3, 3, 5), 3);
  assert.equal(inRange("x", 5, 3, 5), 5);
  for (const value of [2, 6, 3.5, "4", undefined, null, 4n, Symbol("4")]) {
    throwsCode("bad-option", () => inRange("x", value, 3, 5), /^x is .*from 3 to 5$/);
  }
});
