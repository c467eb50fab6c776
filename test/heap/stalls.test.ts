/** Who keeps grace periods waiting, and how that is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stall } from "sharedheap";
import { SharedHeap } from "sharedheap";
import { Stalls } from "#src/stalls.js";
import { cpusOf, throwsCode } from "../memalloc/heaps.ts";
import { attachTo, MIB, newHeap } from "../support/heaps.ts";

/** Two CPUs, and what the first sees of stalls by a clock that the test moves. */
function fixture() {
  const system = newHeap({ bytes: MIB });
  const other = attachTo(system);
  const told: Stall[] = [];
  let now = 0;
  const stalls = new Stalls(system, () => now, 100);
  const stop = stalls.listen((stall) => told.push(stall));
  /** A poll, `ms` later, while something waits. */
  const poll = (ms = 0): void => {
    now += ms;
    system.rcu.drive(system.rcu.target());
    system.trace.drive(system.trace.target());
    stalls.look();
  };
  return { system, other, stalls, told, stop, poll };
}

test("a section in the way is listed with its polls and milliseconds, until it ends", () => {
  const { other, stalls, poll } = fixture();
  poll();
  assert.deepEqual(stalls.list(), []);
  other.rcu.readLock();
  poll();
  poll(20);
  poll(30);
  const { id: cpu } = other.cpu;
  assert.deepEqual(stalls.list(), [{ flavour: "rcu", cpu, name: "", polls: 2, ms: 50 }]);
  other.rcu.readUnlock();
  poll();
  assert.deepEqual(stalls.list(), []);
});

test("another section of the same CPU counts from its own beginning", () => {
  const { other, stalls, poll } = fixture();
  other.rcu.readLock();
  poll();
  poll(50);
  other.rcu.readUnlock();
  other.rcu.readLock();
  poll(50);
  assert.deepEqual(
    stalls.list().map(({ polls, ms }) => [polls, ms]),
    [[0, 0]],
  );
});

test("tasks trace too", () => {
  const { other, stalls, poll } = fixture();
  const phase = other.trace.enter();
  poll();
  poll(10);
  const { id: cpu } = other.cpu;
  assert.deepEqual(stalls.list(), [{ flavour: "tasks-trace", cpu, name: "", polls: 1, ms: 10 }]);
  other.trace.exit(phase);
  poll();
  assert.deepEqual(stalls.list(), []);
});

test("it is told once the time is up, and again whenever that has doubled", () => {
  const { other, told, stop, poll } = fixture();
  other.rcu.readLock();
  for (let i = 0; i <= 45; i++) poll(10);
  assert.deepEqual(
    told.map(({ ms }) => ms),
    [100, 200, 400],
  );
  stop();
  for (let i = 0; i < 100; i++) poll(10);
  assert.equal(told.length, 3);
});

test("with nothing waiting nothing is in the way", () => {
  const { other, stalls, poll } = fixture();
  other.rcu.readLock();
  poll();
  poll();
  stalls.clear();
  assert.deepEqual(stalls.list(), []);
});

test("heap.stats(): readers, what waits, and for whom", () => {
  const [a, b] = cpusOf(2);
  const pool = a.memAlloc({ name: "x" });
  const p = pool.alloc(100);
  b.rcu.readLock();
  const section = b.rcu.tasksTrace.enter();
  pool.freeRcu(p);
  for (let i = 0; i < 3; i++) a.poll();
  const { rcu } = a.stats();
  assert.deepEqual(rcu.readers, [{ cpu: b.cpu, name: "", rcu: true, tasksTrace: 1 }]);
  assert.equal(rcu.waitingBytes, 128);
  assert.deepEqual(
    rcu.blockedBy.map(({ flavour, cpu }) => [flavour, cpu]),
    [["rcu", b.cpu]],
  );
  assert.ok((rcu.blockedBy[0]?.polls ?? 0) >= 1);
  assert.equal(a.stats().allocators[0]?.waiting, 1);
  b.rcu.readUnlock();
  section.exit();
  for (let i = 0; i < 6; i++) a.poll();
  const after = a.stats().rcu;
  assert.deepEqual([after.readers, after.waitingBytes, after.blockedBy], [[], 0, []]);
  assert.ok(after.periods > rcu.periods && after.tasksTraceSteps > rcu.tasksTraceSteps);
});

test("a section that is open when a turn begins is told, once", ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const heap = SharedHeap.create({ bytes: 4 * MIB, maxCpus: 1 });
  heap.rcu.readLock();
  let ran = false;
  heap.rcu.call(() => {
    ran = true;
  });
  throwsCode("rcu-unbalanced", () => mock.timers.tick(1));
  for (let i = 0; i < 100; i++) mock.timers.tick(1);
  heap.rcu.readUnlock();
  for (let i = 0; i < 100; i++) mock.timers.tick(1);
  assert.ok(ran);
  heap.detach();
});
