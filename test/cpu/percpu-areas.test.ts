import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LINE_WORDS } from "#src/sync/index.js";
import { throwsCode } from "../support/errors.ts";
import { KIB, MIB, newCpus, newHeap } from "../support/heaps.ts";
import { assertSound } from "../support/sound.ts";

const geometry = fc.record({
  maxCpus: fc.integer({ min: 1, max: 20 }),
  percpuBytes: fc.constantFrom(16 * KIB, 32 * KIB, 64 * KIB),
  maxNames: fc.integer({ min: 16, max: 300 }),
});

test("areas are of one size, aligned to it, apart, and in the heap's tables", () => {
  fc.assert(
    fc.property(geometry, (options) => {
      const { areas, firstPage, arena } = newHeap({ bytes: 3 * MIB, ...options });
      assert.equal(areas.areaWords * 4, options.percpuBytes);
      for (let cpu = 0; cpu < options.maxCpus; cpu++) {
        assert.equal(areas.areaOf(cpu) % areas.areaWords, 0);
        assert.equal(areas.areaOf(cpu), areas.areaOf(0) + cpu * areas.areaWords);
      }
      const end = areas.areaOf(options.maxCpus - 1) + areas.areaWords;
      assert.ok(areas.areaOf(0) >= 1024 && end <= firstPage * 1024 && end <= arena.words.length);
    }),
    { numRuns: 40 },
  );
});

test("instanceOn finds a variable's instance on any CPU, from any instance", () => {
  fc.assert(
    fc.property(geometry, fc.nat(), fc.nat(), fc.nat(), (options, from, to, at) => {
      const { areas } = newHeap({ bytes: 3 * MIB, ...options });
      const offset = at % areas.areaWords;
      const [a, b] = [from % options.maxCpus, to % options.maxCpus];
      assert.equal(areas.instanceOn(b, areas.areaOf(a) + offset), areas.areaOf(b) + offset);
    }),
    { numRuns: 40 },
  );
});

test("reservations are whole lines, the same for all threads, until the area is full", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }), (counts) => {
      const threads = newCpus(2, { bytes: MIB, percpuBytes: 16 * KIB });
      const { areas } = threads[0];
      let end = areas.reserve(1) + LINE_WORDS;
      for (const [i, count] of counts.entries()) {
        const lines = Math.ceil(count / LINE_WORDS) * LINE_WORDS;
        const reserve = (): number => (threads[i % 2] ?? threads[0]).areas.reserve(count);
        const fits = end + lines <= areas.areaWords;
        if (fits) assert.equal(reserve(), end);
        else throwsCode("limit", reserve, /percpuBytes/);
        end += fits ? lines : 0;
      }
      assertSound(threads[0]);
    }),
    { numRuns: 60 },
  );
});

test("a reservation that does not fit leaves room for a smaller one, to the last word", () => {
  const { areas } = newHeap({ percpuBytes: 16 * KIB });
  const used = areas.reserve(1) + LINE_WORDS;
  throwsCode("limit", () => areas.reserve(areas.areaWords - used + 1), /16384 bytes/);
  assert.equal(areas.reserve(areas.areaWords - used), used);
  throwsCode("limit", () => areas.reserve(1));
});
