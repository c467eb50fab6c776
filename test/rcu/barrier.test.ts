import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Barrier, Barriers, type Flavour, RCU, TRACE } from "#src/rcu/index.js";
import { LOCAL_CLOSURES_GIVEN, LOCAL_CLOSURES_RUN, LOCAL_QUEUES, QUEUE_BATCH } from "#src/rcu/layout.js";
import { changesNothing } from "../support/errors.ts";
import { attachTo, detach } from "../support/heaps.ts";
import {
  AFTER_BOTH,
  AFTER_NOTHING,
  AFTER_RCU,
  AFTER_TRACE,
  isWaitedFor,
  newQueues,
  type Queues,
  queuesOn,
} from "./queues.ts";
import { cpusFrom, firstNumber, localWord, Readers, readerStep } from "./readers.ts";

const LIMIT = 64;
const FLAVOURS: Flavour[] = [RCU, TRACE];

for (const flavour of FLAVOURS) {
  const own = flavour === RCU ? AFTER_RCU : AFTER_TRACE;
  const other = flavour === RCU ? AFTER_TRACE : AFTER_RCU;

  test(`flavour ${flavour}: with nothing given a barrier is past, and asking changes nothing`, () => {
    const { cpus } = newQueues(2, 0);
    changesNothing(cpus[0].system.areas.words, () => {
      assert.equal(cpus[0].barriers.isPast(cpus[1].barriers.begin(flavour)), true);
    });
  });

  test(`flavour ${flavour}: waits for what was given on any CPU, in a batch or not, and for nothing later`, () => {
    const { cpus, ran, give } = newQueues(2, 4);
    const [a, b] = cpus;
    b.system.rcu.readLock();
    const phase = b.system.trace.enter();
    give(0, own, 0);
    a.callbacks.poll(LIMIT);
    give(0, own, 1);
    give(1, own, 2);
    const barrier = a.barriers.begin(flavour);
    give(1, own, 3);
    b.callbacks.poll(LIMIT);
    assert.equal(a.barriers.isPast(barrier), false);
    b.system.rcu.readUnlock();
    b.system.trace.exit(phase);
    for (let i = 0; !b.barriers.isPast(barrier); i++) {
      assert.ok(![0, 1, 2].every((item) => ran.includes(item)), "it is not late");
      assert.ok(i < 4);
      a.callbacks.run(0, own, LIMIT);
      if (i > 0) a.callbacks.run(1, own, LIMIT);
    }
    assert.deepEqual([0, 1, 2].filter((item) => ran.includes(item)).length, 3);
    assert.equal(a.barriers.isPast(barrier), true);
  });

  test(`flavour ${flavour}: does not wait for the other one, nor for what waits for nothing`, () => {
    const { cpus, give } = newQueues(2, 2);
    give(0, other, 0);
    give(0, AFTER_NOTHING, 1);
    assert.equal(cpus[1].barriers.isPast(cpus[1].barriers.begin(flavour)), true);
  });

  test(`flavour ${flavour}: callbacks of a CPU that is offline are waited for`, () => {
    const { cpus, give } = newQueues(2, 1);
    give(1, own, 0);
    detach(cpus[1].system);
    const barrier = cpus[0].barriers.begin(flavour);
    assert.equal(cpus[0].barriers.isPast(barrier), false);
    cpus[0].callbacks.poll(LIMIT);
    assert.equal(cpus[0].barriers.isPast(barrier), true);
  });

  test(`flavour ${flavour}: closures are waited for, those that were given before`, () => {
    const { cpus } = newQueues(2, 0);
    const [a, b] = cpus;
    b.barriers.given(flavour);
    b.barriers.given(flavour);
    const barrier = a.barriers.begin(flavour);
    b.barriers.given(flavour);
    assert.equal(a.barriers.isPast(a.barriers.begin(flavour === RCU ? TRACE : RCU)), true);
    b.barriers.ran(flavour);
    assert.equal(a.barriers.isPast(barrier), false);
    b.barriers.ran(flavour);
    assert.equal(a.barriers.isPast(barrier), true);
  });

  test(`flavour ${flavour}: closures of a thread that is gone are not waited for, whoever has its CPU`, () => {
    const { cpus, join } = newQueues(2, 0);
    const [a, b] = cpus;
    b.barriers.given(flavour);
    const barrier = a.barriers.begin(flavour);
    assert.equal(a.barriers.isPast(barrier), false);
    detach(b.system);
    assert.equal(a.barriers.isPast(barrier), true);
    assert.equal(a.barriers.isPast(a.barriers.begin(flavour)), true, "begun while nobody had the CPU");
    const next = join(attachTo(a.system));
    assert.equal(next.system.cpu.id, b.system.cpu.id);
    assert.equal(a.barriers.isPast(barrier), true);
    assert.equal(a.barriers.isPast(a.barriers.begin(flavour)), true, "the next thread has given none");
    next.barriers.given(flavour);
    const later = a.barriers.begin(flavour);
    assert.equal(a.barriers.isPast(later), false);
    next.barriers.ran(flavour);
    assert.equal(a.barriers.isPast(later), true);
  });

  test(`flavour ${flavour}: counts of closures come round`, () => {
    const { cpus } = newQueues(2, 0);
    const [{ system }, b] = cpus;
    for (const at of [LOCAL_CLOSURES_GIVEN, LOCAL_CLOSURES_RUN])
      Atomics.store(system.areas.words, localWord(system, 1, at + flavour), 2 ** 31 - 2);
    for (let i = 0; i < 4; i++) {
      b.barriers.given(flavour);
      const barrier = b.barriers.begin(flavour);
      assert.equal(b.barriers.isPast(barrier), false);
      b.barriers.ran(flavour);
      assert.equal(b.barriers.isPast(barrier), true);
    }
  });
}

test("what waits for both kinds of sections belongs to tasks trace", () => {
  const { cpus, give } = newQueues(1, 1);
  give(0, AFTER_BOTH, 0);
  const [{ barriers }] = cpus;
  assert.deepEqual(
    FLAVOURS.map((flavour) => barriers.isPast(barriers.begin(flavour))),
    [true, false],
  );
});

for (const before of [2 ** 31 - 2, -2]) {
  test(`numbers of batches come round: from ${before} on`, () => {
    const { cpus, give } = newQueues(1, 2);
    const [{ system, callbacks, barriers }] = cpus;
    Atomics.store(system.areas.words, localWord(system, 0, LOCAL_QUEUES + QUEUE_BATCH), before);
    for (let i = 0; i < 4; i++) {
      system.rcu.readLock();
      give(0, AFTER_RCU, 0);
      callbacks.poll(LIMIT);
      give(0, AFTER_RCU, 1);
      const barrier = barriers.begin(RCU);
      system.rcu.readUnlock();
      callbacks.poll(LIMIT);
      assert.equal(barriers.isPast(barrier), false);
      callbacks.poll(LIMIT);
      assert.equal(barriers.isPast(barrier), true);
    }
  });
}

interface Begun {
  readonly barrier: Barrier;
  readonly waits: ReadonlySet<number>;
}

const ITEMS = 10;
const cpu = fc.nat(2);
const kind = fc.nat(3);
const call = fc.record({ kind: fc.constant("call" as const), cpu, as: kind, item: fc.nat(ITEMS - 1) });
const run = fc.record({ kind: fc.constant("run" as const), cpu, of: cpu, as: kind, limit: fc.nat(3) });
const begin = fc.record({ kind: fc.constant("begin" as const), cpu, flavour: fc.constantFrom(...FLAVOURS) });

test("in any sequence no barrier is past before its callbacks have run, and all are once everything has", () => {
  const steps = fc.array(fc.oneof(readerStep(3), call, call, run, run, begin), {
    maxLength: 80,
    size: "max",
  });
  fc.assert(
    fc.property(firstNumber, steps, (first, list) => {
      const waiting = new Set<number>();
      const readers = new Readers(cpusFrom(first));
      const fixture = queuesOn(readers.cpus as [Queues["system"]], ITEMS, (_cpu, item) =>
        waiting.delete(item),
      );
      const begun: Begun[] = [];
      const start = (on: number, flavour: Flavour): void => {
        const barrier = fixture.cpus[on].barriers.begin(flavour);
        const waits = new Set([...waiting].filter((item) => isWaitedFor(fixture.givenAs[item], barrier)));
        begun.push({ barrier, waits });
      };
      const give = (on: number, as: number, item: number): void => {
        if (waiting.has(item)) return;
        // an item that runs and is given again would look as if it had not run
        if (begun.some(({ waits }) => waits.has(item))) return;
        waiting.add(item);
        fixture.give(on, as, item);
      };
      for (const step of list) {
        if (step.kind === "call") give(step.cpu, step.as, step.item);
        else if (step.kind === "run") fixture.cpus[step.cpu].callbacks.run(step.of, step.as, step.limit);
        else if (step.kind === "begin") start(step.cpu, step.flavour);
        else readers.step(step);
        for (const { barrier, waits } of begun)
          if (fixture.cpus[0].barriers.isPast(barrier))
            assert.ok(![...waits].some((item) => waiting.has(item)), "past too early");
      }
      readers.endAll();
      for (let i = 0; i < 2; i++) fixture.cpus[1].callbacks.poll(LIMIT);
      for (const { barrier } of begun) assert.equal(fixture.cpus[2].barriers.isPast(barrier), true);
    }),
    { numRuns: 300 },
  );
});

test("a thread that boots has given nothing", () => {
  const { cpus } = newQueues(1, 0);
  const { rcuPlace, cpu: own, cpus: all, areas } = cpus[0].system;
  const { words } = areas;
  const given = localWord(cpus[0].system, 0, LOCAL_CLOSURES_GIVEN);
  cpus[0].barriers.given(RCU);
  assert.equal(words[given], 1);
  const booted = new Barriers(rcuPlace, own.id, all, areas, cpus[0].callbacks);
  assert.equal(booted.isPast(booted.begin(RCU)), true);
});
