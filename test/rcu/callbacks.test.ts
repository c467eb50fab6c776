import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LOCAL_HAND, LOCAL_QUEUES, QUEUE_TAKER, QUEUE_WORDS } from "#src/rcu/layout.js";
import { releaseTaker, tryTake } from "#src/sync/index.js";
import { changesNothing } from "../support/errors.ts";
import { attachTo, detach } from "../support/heaps.ts";
import {
  AFTER_BOTH,
  AFTER_NOTHING,
  AFTER_RCU,
  AFTER_TRACE,
  assertRcuSound,
  type Fixture,
  newQueues,
  type Queues,
  queuesOn,
  sorted,
  WAITS_FOR,
} from "./queues.ts";
import { cpusFrom, firstNumber, localWord, type Moment, Readers, readerStep } from "./readers.ts";

const KINDS = [AFTER_RCU, AFTER_TRACE, AFTER_BOTH, AFTER_NOTHING];
const LIMIT = 64;

/** A word of the queue of a CPU. */
function queueWord(system: Queues["system"], cpu: number, kind: number, at: number): number {
  return localWord(system, cpu, LOCAL_QUEUES + kind * QUEUE_WORDS + at);
}

for (const kind of KINDS) {
  test(`kind ${kind}: given and polled, each callback runs once, on whichever CPU polls`, () => {
    const { cpus, ran, give } = newQueues(2, 4);
    for (const item of [0, 1, 2, 3]) give(item % 2, kind, item);
    assert.deepEqual(ran, [], "none runs inside call");
    assert.deepEqual(
      cpus.map(({ callbacks }) => callbacks.isPending()),
      [true, true],
    );
    cpus[1].callbacks.poll(LIMIT);
    assert.deepEqual(sorted(ran), [0, 1, 2, 3]);
    assert.equal(cpus[0].callbacks.isPending(), false);
    for (const { callbacks, system } of cpus) {
      callbacks.poll(LIMIT);
      assertRcuSound(system);
    }
    assert.equal(ran.length, 4);
  });

  test(`kind ${kind}: waits for the sections that it should, and for no other`, () => {
    const { cpus, ran, give } = newQueues(2, 2);
    const { rcu, trace } = cpus[1].system;
    rcu.readLock();
    give(0, kind, 0);
    cpus[0].callbacks.poll(LIMIT);
    assert.equal(ran.length, WAITS_FOR[kind].rcu ? 0 : 1);
    rcu.readUnlock();
    cpus[0].callbacks.poll(LIMIT);
    assert.equal(ran.length, 1);
    const phase = trace.enter();
    give(0, kind, 1);
    cpus[0].callbacks.poll(LIMIT);
    assert.equal(ran.length, WAITS_FOR[kind].trace ? 1 : 2);
    trace.exit(phase);
    cpus[0].callbacks.poll(LIMIT);
    assert.equal(ran.length, 2);
  });
}

test("what is given while a batch is under way waits for the next one", () => {
  const { cpus, ran, give } = newQueues(2, 2);
  const { rcu } = cpus[1].system;
  rcu.readLock();
  give(0, AFTER_RCU, 0);
  cpus[0].callbacks.poll(LIMIT);
  rcu.readUnlock();
  rcu.readLock();
  give(0, AFTER_RCU, 1);
  cpus[0].callbacks.poll(LIMIT);
  cpus[0].callbacks.poll(LIMIT);
  assert.deepEqual(ran, [], "the second section holds the second period up");
  rcu.readUnlock();
  rcu.readLock();
  cpus[0].callbacks.poll(LIMIT);
  assert.deepEqual(ran, [0], "it began after the first one was given");
  rcu.readUnlock();
  cpus[0].callbacks.poll(LIMIT);
  assert.deepEqual(ran, [0, 1]);
});

test("a run does at most its limit, and the next goes on where it stopped", () => {
  for (const limit of [1, 3, 10, 11]) {
    const { cpus, ran, give } = newQueues(2, 10);
    for (let item = 0; item < 10; item++) give(0, AFTER_RCU, item);
    for (let left = 10; left > 0; left -= limit) {
      const { callbacks, system } = cpus[left % 2];
      assert.equal(callbacks.isEmpty(0, AFTER_RCU), false);
      assert.equal(callbacks.run(0, AFTER_RCU, limit), Math.min(left, limit));
      assert.equal(ran.length, 10 - Math.max(left - limit, 0));
      assertRcuSound(system);
    }
    assert.equal(cpus[0].callbacks.isEmpty(0, AFTER_RCU), true);
    assert.equal(new Set(ran).size, 10);
    assert.equal(cpus[0].callbacks.run(0, AFTER_RCU, limit), 0);
  }
});

test("a poll does as many of each queue, however full another is", () => {
  const { cpus, ran, give } = newQueues(3, 60);
  for (let item = 0; item < 60; item++) give(item % 3, AFTER_RCU + (item % 2), item);
  cpus[1].callbacks.poll(4);
  assert.equal(ran.length, 6 * 4);
  cpus[2].callbacks.poll(100);
  assert.equal(ran.length, 60);
});

test("a queue that somebody else is running is left to them", () => {
  const { cpus, ran, give } = newQueues(2, 2);
  const [a, b] = cpus;
  give(0, AFTER_RCU, 0);
  give(0, AFTER_TRACE, 1);
  const { words } = a.system.areas;
  const taker = queueWord(a.system, 0, AFTER_RCU, QUEUE_TAKER);
  assert.equal(tryTake(words, taker, b.system.cpu.claim), true);
  changesNothing(words, () => assert.equal(a.callbacks.run(0, AFTER_RCU, LIMIT), 0));
  a.callbacks.poll(LIMIT);
  assert.deepEqual(ran, [1], "other queues go on");
  assert.equal(a.callbacks.isPending(), true);
  releaseTaker(words, taker);
  b.callbacks.poll(LIMIT);
  assert.deepEqual(ran, [1, 0]);
});

test("a handler may give callbacks, and give its own item again: those run later", () => {
  let again = 3;
  const fixture: Fixture = newQueues(1, 3, (_cpu, item) => {
    if (item === 0 && again-- > 0) fixture.give(0, AFTER_RCU, 0);
    if (item === 1) fixture.give(0, AFTER_TRACE, 2);
  });
  const { cpus, ran, give } = fixture;
  give(0, AFTER_RCU, 0);
  give(0, AFTER_RCU, 1);
  for (let i = 0; i < 8; i++) cpus[0].callbacks.poll(LIMIT);
  assert.deepEqual(sorted(ran), [0, 0, 0, 0, 1, 2]);
  assert.equal(cpus[0].callbacks.isPending(), false);
});

test("a handler that gives its own item again for ever does not keep a run for ever", () => {
  const fixture: Fixture = newQueues(1, 1, () => fixture.give(0, AFTER_NOTHING, 0));
  fixture.give(0, AFTER_NOTHING, 0);
  assert.equal(fixture.cpus[0].callbacks.run(0, AFTER_NOTHING, LIMIT), 1);
  assert.equal(fixture.cpus[0].callbacks.isPending(), true);
});

test("a handler runs with the queue taken and no deferred work in between, and names its item in HAND", () => {
  const fixture: Fixture = newQueues(2, 3, (_cpu, item) => {
    const { system, callbacks } = fixture.cpus[0];
    const { words } = system.areas;
    assert.equal(system.cpu.inHardirq(), true);
    assert.equal(words[system.cpu.area + system.rcuPlace.local + LOCAL_HAND], fixture.items[item]);
    for (const other of fixture.cpus) assert.equal(other.callbacks.run(0, AFTER_RCU, LIMIT), 0);
    callbacks.poll(LIMIT);
    assert.equal(fixture.ran.at(-1), item);
  });
  for (const item of [0, 1, 2]) fixture.give(0, AFTER_RCU, item);
  fixture.cpus[0].callbacks.poll(LIMIT);
  assert.equal(fixture.ran.length, 3);
  assert.equal(fixture.cpus[0].system.cpu.inTask(), true);
  assertRcuSound(fixture.cpus[0].system);
});

test("a handler that throws takes no other callback with it", () => {
  const { cpus, ran, give } = newQueues(1, 3, (_cpu, item) => {
    if (item === 1) throw new RangeError("on purpose");
  });
  for (const item of [0, 1, 2]) give(0, AFTER_RCU, item);
  const [{ callbacks, system }] = cpus;
  assert.throws(() => callbacks.poll(LIMIT), RangeError);
  assert.equal(system.cpu.inTask(), true);
  callbacks.poll(LIMIT);
  assert.deepEqual(sorted(ran), [0, 1, 2]);
  assertRcuSound(system);
});

test("callbacks of a CPU that is offline are run by any other, and by its next thread", () => {
  const fixture = newQueues(2, 4);
  const { cpus, ran, give, join } = fixture;
  const [a, b] = cpus;
  a.system.rcu.readLock();
  for (const item of [0, 1]) give(1, AFTER_RCU, item);
  b.callbacks.poll(LIMIT);
  give(1, AFTER_RCU, 2);
  give(1, AFTER_BOTH, 3);
  detach(b.system);
  assertRcuSound(a.system);
  a.callbacks.poll(LIMIT);
  assert.deepEqual(ran, []);
  a.system.rcu.readUnlock();
  a.callbacks.run(1, AFTER_RCU, LIMIT);
  assert.deepEqual(sorted(ran), [0, 1]);
  const next = join(attachTo(a.system));
  assert.equal(next.system.cpu.id, b.system.cpu.id);
  next.callbacks.poll(LIMIT);
  assert.deepEqual(sorted(ran), [0, 1, 2, 3]);
  assert.equal(a.callbacks.isPending(), false);
});

test("forEachItem shows what waits, batch or not, of a kind and of all CPUs, until told to stop", () => {
  const { cpus, items, give } = newQueues(2, 6);
  cpus[0].system.rcu.readLock();
  for (const item of [0, 1]) give(0, AFTER_RCU, item);
  cpus[0].callbacks.poll(LIMIT);
  for (const item of [2, 3]) give(item - 2, AFTER_RCU, item);
  give(0, AFTER_TRACE, 4);
  const seen: number[] = [];
  cpus[1].callbacks.forEachItem(AFTER_RCU, (address) => seen.push(items.indexOf(address)) > 0);
  assert.deepEqual(sorted(seen), [0, 1, 2, 3]);
  let visits = 0;
  cpus[1].callbacks.forEachItem(AFTER_TRACE, () => {
    visits++;
    return false;
  });
  assert.equal(visits, 1);
});

interface Given {
  readonly before: Moment;
  readonly kind: number;
}

const ITEMS = 12;
const cpu = fc.nat(2);
const kind = fc.constantFrom(...KINDS);
const call = fc.record({ kind: fc.constant("call" as const), cpu, as: kind, item: fc.nat(ITEMS - 1) });
const run = fc.record({ kind: fc.constant("run" as const), cpu, of: cpu, as: kind, limit: fc.nat(4) });
const poll = fc.record({ kind: fc.constant("poll" as const), cpu });

test("in any sequence each callback runs once, and not before the sections that were open have ended", () => {
  const steps = fc.array(fc.oneof(readerStep(3), call, call, run, poll), { maxLength: 80, size: "max" });
  fc.assert(
    fc.property(firstNumber, steps, (first, list) => {
      const waiting = new Map<number, Given>();
      const readers = new Readers(cpusFrom(first));
      const fixture = queuesOn(readers.cpus as [Queues["system"]], ITEMS, (_cpu, item) => {
        const given = waiting.get(item);
        assert.ok(given !== undefined, "it was given, and has not run");
        assert.ok(readers.isOver(given.before, WAITS_FOR[given.kind]), `item ${item} ran early`);
        waiting.delete(item);
      });
      for (const step of list) {
        if (step.kind === "call") {
          if (waiting.has(step.item)) continue;
          waiting.set(step.item, { before: readers.now(), kind: step.as });
          fixture.give(step.cpu, step.as, step.item);
        } else if (step.kind === "run") {
          assert.ok(fixture.cpus[step.cpu].callbacks.run(step.of, step.as, step.limit) <= step.limit);
        } else if (step.kind === "poll") {
          fixture.cpus[step.cpu].callbacks.poll(LIMIT);
        } else {
          readers.step(step);
        }
        assertRcuSound(readers.cpus[0]);
        assert.ok(waiting.size === 0 || fixture.cpus[0].callbacks.isPending());
      }
      readers.endAll();
      // two batches: one that may have been under way, and the next
      for (let i = 0; i < 2; i++) fixture.cpus[0].callbacks.poll(LIMIT);
      assert.equal(waiting.size, 0);
      assert.equal(fixture.cpus[0].callbacks.isPending(), false);
    }),
    { numRuns: 300 },
  );
});
