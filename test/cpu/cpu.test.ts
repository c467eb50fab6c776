import assert from "node:assert/strict";
import { test } from "node:test";
import { CRITICAL_SHIFT, enterContext, leaveContext, NMI_SHIFT } from "#src/cpu/index.js";
import { AREA_CONTEXT } from "#src/cpu/layout.js";
import { attachTo, detach, newCpus } from "../support/heaps.ts";
import { ownCpu } from "./own-cpu.ts";

test("a CPU lies in its own area", () => {
  for (const { cpu, areas } of newCpus(4)) {
    assert.equal(cpu.area, areas.areaOf(cpu.id));
  }
});

test("claims tell CPUs and their generations apart, and are never 0", () => {
  const [first] = newCpus(1, { maxCpus: 3 });
  const claims = new Set([0, first.cpu.claim]);
  for (let round = 1; round <= 20; round++) {
    const [a, b] = [attachTo(first), attachTo(first)];
    claims.add(a.cpu.claim).add(b.cpu.claim);
    assert.equal(claims.size, 2 + 2 * round);
    detach(a);
    detach(b);
  }
});

test("a new owner begins in task context, whatever the last one left", () => {
  const [first, second] = newCpus(2, { maxCpus: 2 });
  if (second === undefined) return assert.fail();
  enterContext(second.arena.words, second.cpu.area, NMI_SHIFT);
  detach(second);
  const third = attachTo(first);
  assert.equal(third.cpu.id, second.cpu.id);
  assert.equal(third.cpu.inTask(), true);
  assert.equal(third.arena.words[third.cpu.area + AREA_CONTEXT], 0);
});

test("a critical section is no context of the program, but keeps deferred work away", () => {
  const { cpu, items, ran } = ownCpu(1);
  const { words, area } = cpu;
  enterContext(words, area, CRITICAL_SHIFT);
  cpu.irqWork.raise(items[0] as number);
  cpu.irqWork.kick();
  assert.deepEqual([cpu.inTask(), cpu.inSoftirq(), cpu.inNmi(), cpu.inHardirq()], Array(4).fill(false));
  assert.deepEqual(ran, []);
  leaveContext(words, area, CRITICAL_SHIFT);
  cpu.irqWork.kick();
  assert.deepEqual(ran, [0]);
});

test("nested hands through what the function returns", () => {
  const { cpu } = ownCpu(0);
  assert.equal(
    cpu.nested(NMI_SHIFT, () => (cpu.inNmi() ? "inside" : "outside")),
    "inside",
  );
});
