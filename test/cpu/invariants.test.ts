import assert from "node:assert/strict";
import { test } from "node:test";
import type { Booted } from "#src/boot.js";
import { checkCpus } from "#src/cpu/index.js";
import { AREA_CONTEXT, AREA_IRQ_WORK } from "#src/cpu/layout.js";
import { newHeap } from "../support/heaps.ts";

function problems({ cpus, areas }: Booted): string[] {
  const found: string[] = [];
  checkCpus(cpus, areas, (problem) => found.push(problem));
  return found;
}

test("a free CPU in a context, or with work pending, is a problem; an online one is not", () => {
  const system = newHeap({ maxCpus: 3 });
  const { words } = system.arena;
  assert.deepEqual(problems(system), []);
  words[system.areas.areaOf(0) + AREA_CONTEXT] = 1;
  words[system.areas.areaOf(0) + AREA_IRQ_WORK] = 5000;
  assert.deepEqual(problems(system), []);
  words[system.areas.areaOf(1) + AREA_CONTEXT] = 1;
  words[system.areas.areaOf(2) + AREA_IRQ_WORK] = 5000;
  assert.deepEqual(problems(system), [
    "cpu 1: free, but inside a context",
    "cpu 2: free, but has work pending",
  ]);
});
