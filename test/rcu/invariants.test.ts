import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRcu } from "#src/rcu/index.js";
import {
  LOCAL_HAND,
  LOCAL_NESTING,
  LOCAL_QUEUES,
  LOCAL_READER,
  LOCAL_TRACE,
  MAX_KINDS,
  QUEUE_BATCH,
  QUEUE_TAKER,
  QUEUE_WAIT,
  QUEUE_WORDS,
} from "#src/rcu/layout.js";
import { newCpus } from "../support/heaps.ts";
import { localWord } from "./readers.ts";

function reports([{ rcuPlace, cpus, areas }]: ReturnType<typeof newCpus>): string[] {
  const problems: string[] = [];
  checkRcu(rcuPlace, cpus, areas, (problem) => problems.push(problem));
  return problems;
}

/** What is reported once a word of CPU `cpu` has been changed to `value`; puts it back. */
function reportsWith(systems: ReturnType<typeof newCpus>, cpu: number, at: number, value: number): string {
  const { words } = systems[0].areas;
  const address = localWord(systems[0], cpu, at);
  const before = words[address];
  words[address] = value;
  const problems = reports(systems);
  words[address] = before;
  assert.deepEqual(reports(systems), []);
  return problems.join("\n");
}

test("a new heap, open sections and sections that have ended are sound", () => {
  const systems = newCpus(3, { maxCpus: 4 });
  const [a, b, c] = systems;
  assert.deepEqual(reports(systems), []);
  a.rcu.readLock();
  a.rcu.readLock();
  const phases = [b.trace.enter(), b.trace.enter()];
  c.rcu.readLock();
  assert.deepEqual(reports(systems), []);
  a.rcu.readUnlock();
  c.rcu.readUnlock();
  b.trace.exit(phases[0]);
  assert.deepEqual(reports(systems), []);
});

test("a reader word that does not fit the nesting is reported, with its CPU", () => {
  const systems = newCpus(2, { maxCpus: 4 });
  assert.match(reportsWith(systems, 1, LOCAL_READER, 1), /^rcu: CPU 1: .*nesting of 0$/);
  assert.match(reportsWith(systems, 0, LOCAL_READER, -1), /^rcu: CPU 0/);
  assert.match(reportsWith(systems, 1, LOCAL_NESTING, 2), /^rcu: CPU 1: .*nesting of 2$/);
  systems[1].rcu.readLock();
  assert.match(reportsWith(systems, 1, LOCAL_READER, 2), /^rcu: CPU 1: .*nesting of 1$/);
  assert.match(reportsWith(systems, 1, LOCAL_NESTING, 0), /^rcu: CPU 1: .*nesting of 0$/);
  assert.match(reportsWith(systems, 1, LOCAL_NESTING, -1), /^rcu: CPU 1: .*nesting of -1$/);
});

test("fewer open tasks-trace sections than none are reported", () => {
  const systems = newCpus(2);
  for (const phase of [0, 1])
    assert.match(reportsWith(systems, 1, LOCAL_TRACE + phase, -1), /CPU 1: .*-1.* sections are open/);
});

test("a free CPU inside a section is reported", () => {
  const systems = newCpus(1, { maxCpus: 2 });
  const { words } = systems[0].areas;
  words[localWord(systems[0], 1, LOCAL_NESTING)] = 1;
  words[localWord(systems[0], 1, LOCAL_READER)] = 1;
  assert.deepEqual(reports(systems), ["rcu: CPU 1: free, but inside a read section"]);
  words[localWord(systems[0], 1, LOCAL_NESTING)] = 0;
  words[localWord(systems[0], 1, LOCAL_READER)] = 2;
  for (const phase of [0, 1])
    assert.match(reportsWith(systems, 1, LOCAL_TRACE + phase, 1), /CPU 1: free, but inside/);
});

test("a queue in the middle of something is reported, with CPU and kind", () => {
  const systems = newCpus(2);
  for (let kind = 0; kind < MAX_KINDS; kind++) {
    const queue = LOCAL_QUEUES + kind * QUEUE_WORDS;
    const where = new RegExp(`^rcu: CPU 1, kind ${kind}: `);
    for (const at of [QUEUE_TAKER, QUEUE_WAIT])
      assert.match(reportsWith(systems, 1, queue + at, 4096), where);
  }
});

test("a callback that is being run is reported, but not that of a dead CPU", () => {
  const systems = newCpus(2);
  const { cpus } = systems[0];
  assert.match(reportsWith(systems, 1, LOCAL_HAND, 4096), /CPU 1: a callback is under way/);
  assert.equal(cpus.markDead(1, cpus.generationOf(1)), true);
  assert.equal(reportsWith(systems, 1, LOCAL_HAND, 4096), "");
});

test("a batch that waits is sound only while its number says so", () => {
  const systems = newCpus(2);
  const { words } = systems[0].areas;
  words[localWord(systems[0], 1, LOCAL_QUEUES + QUEUE_BATCH)] = 3;
  words[localWord(systems[0], 1, LOCAL_QUEUES + QUEUE_WAIT)] = 4096;
  assert.deepEqual(reports(systems), []);
  words[localWord(systems[0], 1, LOCAL_QUEUES + QUEUE_BATCH)] = 4;
  assert.match(reports(systems).join(), /CPU 1, kind 0: callbacks wait in no batch/);
});
