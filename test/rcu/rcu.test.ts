import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LOCAL_NESTING, LOCAL_READER, RCU_SEQ } from "#src/rcu/layout.js";
import { changesNothing, throwsCode } from "../support/errors.ts";
import { attachTo, detach, newCpus } from "../support/heaps.ts";
import { assertSound } from "../support/sound.ts";
import { cpusFrom, firstNumber, localWord, type Moment, Readers, readerStep, seqOf } from "./readers.ts";

test("without readers every period ends when it is driven, on whichever CPU", () => {
  const cpus = newCpus(3);
  for (const { rcu } of cpus) {
    const target = rcu.target();
    assert.equal(rcu.isPast(target), false, "nothing ends by itself");
    assert.equal(rcu.drive(target), true);
    for (const other of cpus) assert.equal(other.rcu.isPast(target), true);
    assert.equal(rcu.drive(target), true, "once more does no harm");
  }
  assertSound(cpus[0]);
});

test("a section that was open keeps a period from ending, until it ends, on every CPU", () => {
  const cpus = newCpus(3);
  for (const reader of cpus) {
    reader.rcu.readLock();
    const target = cpus[0].rcu.target();
    for (const driver of [...cpus, ...cpus]) assert.equal(driver.rcu.drive(target), false);
    assertSound(cpus[0]);
    reader.rcu.readUnlock();
    assert.equal(cpus[1].rcu.drive(target), true);
  }
});

test("a section that begins after the target was taken does not matter to it once its first period ends", () => {
  const [a, b] = newCpus(2);
  const target = a.rcu.target();
  const before = seqOf(a, RCU_SEQ);
  b.rcu.readLock();
  assert.equal(a.rcu.drive(target), false, "it cannot be told apart from an older one");
  assert.equal(seqOf(a, RCU_SEQ), before, "so it is waited for");
  b.rcu.readUnlock();
  b.rcu.readLock();
  assert.equal(a.rcu.drive(target), false, "the next period waits for the next section");
  assert.notEqual(seqOf(a, RCU_SEQ), before);
  b.rcu.readUnlock();
  b.rcu.readLock();
  assert.equal(a.rcu.drive(target), true, "the third one is of no interest any more");
  b.rcu.readUnlock();
});

test("a reader that is in some section whenever it is looked at holds nobody up", () => {
  const [a, b] = newCpus(2);
  const target = a.rcu.target();
  let rounds = 0;
  for (b.rcu.readLock(); !a.rcu.drive(target); rounds++) {
    b.rcu.readUnlock();
    b.rcu.readLock();
  }
  assert.ok(rounds <= 2, `${rounds} sections`);
  b.rcu.readUnlock();
});

test("sections nest: the outermost unlock ends them", () => {
  const [a, b] = newCpus(2);
  for (let i = 0; i < 1000; i++) b.rcu.readLock();
  const target = a.rcu.target();
  for (let i = 0; i < 1000; i++) {
    assert.equal(b.rcu.isInside(), true);
    assert.equal(a.rcu.drive(target), false);
    b.rcu.readUnlock();
  }
  assert.equal(b.rcu.isInside(), false);
  assert.equal(a.rcu.drive(target), true);
  assertSound(a);
});

test("an unlock without a lock is refused and changes nothing, wherever others are", () => {
  const [a, b] = newCpus(2);
  const refused = (): void =>
    changesNothing(a.arena.words, () => throwsCode("rcu-unbalanced", () => a.rcu.readUnlock(), /readLock/));
  refused();
  a.rcu.readLock();
  a.rcu.readUnlock();
  refused();
  b.rcu.readLock();
  refused();
  a.rcu.readLock();
  a.rcu.readUnlock();
  refused();
  b.rcu.readUnlock();
});

test("a section nested in the middle of a lock or an unlock is protected and leaves the outer one as it was", () => {
  const [a, b] = newCpus(2);
  const nesting = localWord(a, 1, LOCAL_NESTING);
  const nested = (depth: number): void => {
    b.rcu.readLock();
    assert.equal(a.rcu.drive(a.rcu.target()), false);
    b.rcu.readUnlock();
    assert.equal(a.arena.words[nesting], depth);
  };
  // a lock that has raised the count, and not yet the word
  a.arena.words[nesting] = 1;
  nested(1);
  assert.equal(
    Atomics.load(a.arena.words, localWord(a, 1, LOCAL_READER)) & 1,
    1,
    "the outer one is open now",
  );
  // an unlock that has lowered the count, and not yet the word
  a.arena.words[nesting] = 0;
  nested(0);
  assert.equal(Atomics.load(a.arena.words, localWord(a, 1, LOCAL_READER)) & 1, 0, "ended for both");
  assertSound(a);
});

test("each CPU keeps what it saw to itself; what one of them ends has ended for all", () => {
  const [a, b, c] = newCpus(3);
  c.rcu.readLock();
  const target = a.rcu.target();
  assert.equal(a.rcu.drive(target), false);
  c.rcu.readUnlock();
  c.rcu.readLock();
  assert.equal(b.rcu.drive(target), false, "the second section is all that it has seen");
  assert.equal(a.rcu.drive(target), false, "the first is over, the next period waits for the second");
  c.rcu.readUnlock();
  assert.equal(b.rcu.drive(target), true);
  assert.equal(a.rcu.isPast(target), true);
  assert.equal(c.rcu.isPast(target), true);
});

test("a CPU that attaches late is waited for from its first section on", () => {
  const [a, b] = newCpus(2, { maxCpus: 8 });
  b.rcu.readLock();
  const before = a.rcu.target();
  assert.equal(a.rcu.drive(before), false);
  const late = attachTo(a);
  late.rcu.readLock();
  const after = a.rcu.target();
  b.rcu.readUnlock();
  for (const driver of [a, b, late]) assert.equal(driver.rcu.drive(after), false);
  late.rcu.readUnlock();
  assert.equal(b.rcu.drive(after), true);
  assert.equal(a.rcu.isPast(before), true);
});

test("the first drive of a CPU that attached late looks for itself", () => {
  const [a, b] = newCpus(2, { maxCpus: 8 });
  for (let i = 0; i < 5; i++) a.rcu.drive(a.rcu.target());
  b.rcu.readLock();
  const late = attachTo(a);
  assert.equal(late.rcu.drive(late.rcu.target()), false);
  b.rcu.readUnlock();
  assert.equal(late.rcu.drive(late.rcu.target()), true);
});

test("a CPU that is offline delays nobody, and its next thread is waited for", () => {
  const [a, b] = newCpus(2);
  b.rcu.readLock();
  assert.equal(a.rcu.drive(a.rcu.target()), false);
  b.rcu.readUnlock();
  detach(b);
  assert.equal(a.rcu.drive(a.rcu.target()), true);
  const next = attachTo(a);
  assert.equal(next.cpu.id, b.cpu.id);
  next.rcu.readLock();
  assert.equal(a.rcu.drive(a.rcu.target()), false);
  next.rcu.readUnlock();
  assert.equal(a.rcu.drive(a.rcu.target()), true);
});

test("a CPU that never drives, or idles, delays nobody", () => {
  const [a, b] = newCpus(8, { maxCpus: 64 });
  for (let i = 0; i < 100; i++) assert.equal(a.rcu.drive(a.rcu.target()), true);
  assert.equal(b.rcu.drive(b.rcu.target()), true);
});

for (const first of [2 ** 31 - 5, -5]) {
  test(`numbers come round: periods from ${first} on`, () => {
    const [a, b] = cpusFrom(first, 2);
    for (let i = 0; i < 8; i++) {
      b.rcu.readLock();
      const target = a.rcu.target();
      assert.equal(a.rcu.drive(target), false);
      assert.equal(b.rcu.isPast(target), false);
      b.rcu.readUnlock();
      assert.equal(a.rcu.drive(target), true);
      assert.equal(b.rcu.isPast(target), true);
    }
    assertSound(a);
  });
}

test("a CPU that has never driven looks at the readers, whatever number the period has", () => {
  for (let first = -9; first < 9; first += 2) {
    const [a, b, c] = cpusFrom(first);
    b.rcu.readLock();
    assert.equal(a.rcu.drive(a.rcu.target()), false);
    b.rcu.readUnlock();
    b.rcu.readLock();
    const target = a.rcu.target();
    assert.equal(a.rcu.drive(target), false, "the first period has ended, the second not");
    assert.equal(c.rcu.drive(target), false, `first period: ${first}`);
    b.rcu.readUnlock();
    assert.equal(c.rcu.drive(target), true);
  }
});

for (const word of [2 ** 31 - 2, -2]) {
  test(`a reader word comes round: sections from ${word} on`, () => {
    const [a, b] = newCpus(2);
    Atomics.store(a.arena.words, localWord(a, 1, LOCAL_READER), word);
    for (let i = 0; i < 4; i++) {
      b.rcu.readLock();
      assertSound(a);
      const target = a.rcu.target();
      assert.equal(a.rcu.drive(target), false);
      b.rcu.readUnlock();
      assert.equal(a.rcu.drive(target), true);
      assertSound(a);
    }
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
        const { rcu } = readers.cpus[step.cpu];
        if (step.kind === "target") asked.push({ target: rcu.target(), before: readers.now() });
        else if (step.kind === "drive") rcu.drive(asked[step.pick % asked.length]?.target ?? rcu.target());
        else readers.step(step);
        for (const { target, before } of asked)
          if (rcu.isPast(target)) assert.ok(readers.isOver(before, { rcu: true, trace: false }));
      }
      readers.endAll();
      for (const { target } of asked) assert.equal(readers.cpus[1].rcu.drive(target), true);
    }),
    { numRuns: 500 },
  );
});
