import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LOCAL_TRACE, TRACE_SEQ } from "#src/rcu/layout.js";
import { changesNothing, throwsCode } from "../support/errors.ts";
import { attachTo, detach, newCpus } from "../support/heaps.ts";
import { assertSound } from "../support/sound.ts";
import {
  cpusFrom,
  firstNumber,
  localWord,
  type Moment,
  Readers,
  readerStep,
  seqOf,
  setSeq,
} from "./readers.ts";

test("without readers a grace period ends when it is driven, on whichever CPU", () => {
  const cpus = newCpus(3);
  for (const { trace } of cpus) {
    const target = trace.target();
    assert.equal(trace.isPast(target), false, "nothing ends by itself");
    assert.equal(trace.drive(target), true);
    for (const other of cpus) assert.equal(other.trace.isPast(target), true);
    assert.equal(trace.drive(target), true, "once more does no harm");
  }
  assertSound(cpus[0]);
});

test("a section that was open keeps a grace period from ending, until it ends, on every CPU", () => {
  const cpus = newCpus(3);
  for (const reader of cpus) {
    const phase = reader.trace.enter();
    const target = cpus[0].trace.target();
    for (const driver of [...cpus, ...cpus]) assert.equal(driver.trace.drive(target), false);
    assertSound(cpus[0]);
    reader.trace.exit(phase);
    assert.equal(cpus[1].trace.drive(target), true);
  }
});

test("both kinds of sections know nothing of each other", () => {
  const [a, b] = newCpus(2);
  b.rcu.readLock();
  assert.equal(a.trace.drive(a.trace.target()), true);
  b.rcu.readUnlock();
  b.trace.enter();
  assert.equal(a.rcu.drive(a.rcu.target()), true);
});

test("many sections are open at once on a CPU, and end in any order", () => {
  const [a, b] = newCpus(2);
  const phases: number[] = [];
  for (let i = 0; i < 300; i++) {
    phases.push(b.trace.enter());
    if (i % 40 === 0) a.trace.drive(a.trace.target());
    assert.equal(b.trace.open, i + 1);
  }
  assert.deepEqual([...new Set(phases)].sort(), [0, 1], "some in each phase");
  const target = a.trace.target();
  for (let i = 0; phases.length > 0; i++) {
    assert.equal(a.trace.drive(target), false);
    b.trace.exit(phases.splice((i * 7) % phases.length, 1)[0]);
    assertSound(a);
  }
  assert.equal(b.trace.open, 0);
  assert.equal(a.trace.drive(target), true);
});

test("readers that follow each other without a gap hold nobody up", () => {
  const [a, b] = newCpus(2);
  let phase = b.trace.enter();
  const target = a.trace.target();
  let rounds = 0;
  for (; !a.trace.drive(target); rounds++) {
    const next = b.trace.enter();
    b.trace.exit(phase);
    phase = next;
  }
  assert.ok(rounds <= 4, `${rounds} sections`);
  b.trace.exit(phase);
});

test("a reader that read the phase, was stopped, and counts itself much later is not missed", () => {
  for (let steps = 0; steps < 6; steps++) {
    const [a, b, c] = newCpus(3);
    const phase = seqOf(b, TRACE_SEQ) & 1; // b's enter is stopped here
    for (let i = 0; i < steps; i++) a.trace.drive((seqOf(a, TRACE_SEQ) + 1) | 0);
    Atomics.add(a.arena.words, localWord(a, b.cpu.id, LOCAL_TRACE + phase), 1);
    const target = a.trace.target(); // of what b may have seen by now
    for (const driver of [a, c, a, c])
      assert.equal(driver.trace.drive(target), false, `${steps} steps later`);
    b.trace.exit(phase);
    assert.equal(c.trace.drive(target), true);
  }
});

test("a step that was looked at before the unlinking, and ends after it, counts for nothing", () => {
  const [a, b, c] = newCpus(3);
  const seq = seqOf(a, TRACE_SEQ);
  // a driver finds the other phase empty, and is stopped; then a reader comes that read its phase long ago
  const phase = (seq & 1) ^ 1;
  Atomics.add(a.arena.words, localWord(a, b.cpu.id, LOCAL_TRACE + phase), 1);
  const target = c.trace.target();
  setSeq(a, TRACE_SEQ, seq + 1); // the driver goes on
  for (const driver of [a, c, a, c]) assert.equal(driver.trace.drive(target), false);
  b.trace.exit(phase);
  assert.equal(c.trace.drive(target), true);
});

test("an exit without an enter is refused and changes nothing, wherever others are", () => {
  const [a, b] = newCpus(2);
  const refused = (phase: number): void =>
    changesNothing(a.arena.words, () => throwsCode("rcu-unbalanced", () => a.trace.exit(phase), /enter/));
  for (const phase of [0, 1]) refused(phase);
  const phase = a.trace.enter();
  refused(phase ^ 1);
  a.trace.exit(phase);
  refused(phase);
  const others = b.trace.enter();
  refused(others);
});

test("a CPU that attaches late is waited for, one that is offline is not", () => {
  const [a] = newCpus(1, { maxCpus: 4 });
  const late = attachTo(a);
  const phase = late.trace.enter();
  const target = a.trace.target();
  assert.equal(a.trace.drive(target), false);
  late.trace.exit(phase);
  detach(late);
  assert.equal(a.trace.drive(target), true);
  const next = attachTo(a);
  assert.equal(next.cpu.id, late.cpu.id);
  next.trace.enter();
  assert.equal(a.trace.drive(a.trace.target()), false);
});

for (const first of [2 ** 31 - 5, 2 ** 31 - 3, -5, -3]) {
  test(`numbers come round: steps from ${first} on`, () => {
    const [a, b] = cpusFrom(first, 2);
    for (let i = 0; i < 8; i++) {
      const phase = b.trace.enter();
      const target = a.trace.target();
      assert.equal(a.trace.drive(target), false);
      assert.equal(b.trace.isPast(target), false);
      b.trace.exit(phase);
      assert.equal(a.trace.drive(target), true);
      assert.equal(b.trace.isPast(target), true);
    }
    assertSound(a);
  });
}

interface Asked {
  readonly target: number;
  readonly before: Moment;
}

const ask = fc.record({ kind: fc.constant("target" as const), cpu: fc.nat(2) });
const drive = fc.record({ kind: fc.constant("drive" as const), cpu: fc.nat(2), pick: fc.nat(7) });

test("in any sequence, no period ends before the sections that were open, and all end after them", () => {
  const steps = fc.array(fc.oneof(readerStep(3), ask, drive), { maxLength: 60, size: "max" });
  fc.assert(
    fc.property(firstNumber, steps, (first, list) => {
      const readers = new Readers(cpusFrom(first));
      const asked: Asked[] = [];
      for (const step of list) {
        const { trace } = readers.cpus[step.cpu];
        if (step.kind === "target") asked.push({ target: trace.target(), before: readers.now() });
        else if (step.kind === "drive")
          trace.drive(asked[step.pick % asked.length]?.target ?? trace.target());
        else readers.step(step);
        for (const { target, before } of asked)
          if (trace.isPast(target)) assert.ok(readers.isOver(before, { rcu: false, trace: true }));
      }
      readers.endAll();
      for (const { target } of asked) assert.equal(readers.cpus[1].trace.drive(target), true);
    }),
    { numRuns: 500 },
  );
});
