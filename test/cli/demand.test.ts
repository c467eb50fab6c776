import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEMAND_WORDS, demandMeter, peakDemand } from "#src/cli/demand.js";

function sharedWords(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(DEMAND_WORDS * 8));
}

test("one worker's peak is exact", () => {
  const words = sharedWords();
  const meter = demandMeter(words, 1);
  meter.change(10, 16);
  meter.change(20, 32);
  meter.change(-10, -16);
  meter.change(5, 64);
  meter.flush();
  assert.deepEqual(peakDemand(words), { requested: 30, units: 96 });
});

test("the peak of several is off by at most a step each", () => {
  const changes = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 40_000 })), { maxLength: 200 });
  fc.assert(
    fc.property(changes, (list) => {
      const words = sharedWords();
      const meters = Array.from({ length: 4 }, () => demandMeter(words, 4));
      let held = 0;
      let peak = 0;
      for (const [worker, bytes] of list) {
        // Each object goes again on another worker before the sum passes 100,000.
        meters[worker]?.change(bytes, bytes);
        held += bytes;
        peak = Math.max(peak, held);
        if (held > 100_000) {
          meters[(worker + 1) % 4]?.change(-held, -held);
          held = 0;
        }
      }
      for (const meter of meters) meter.flush();
      const { requested, units } = peakDemand(words);
      assert.equal(requested, units);
      assert.ok(Math.abs(requested - peak) <= 4 * 16 * 1024, `${requested} for ${peak}`);
      assert.equal(Number(words[0]), held);
    }),
  );
});
