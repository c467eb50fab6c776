import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Context, HARDIRQ_SHIFT, NMI_SHIFT, SOFTIRQ_SHIFT } from "#src/cpu/index.js";
import { assertSound } from "../support/sound.ts";
import { type OwnCpu, ownCpu } from "./own-cpu.ts";

function raise({ cpu, items }: OwnCpu, ...numbers: number[]): void {
  for (const number of numbers) cpu.irqWork.raise(items[number] as number);
}

test("raising runs nothing, kick runs each item once", () => {
  const own = ownCpu(4);
  raise(own, 2, 0, 3);
  assert.deepEqual(own.ran, []);
  own.cpu.irqWork.kick();
  assert.deepEqual(own.ran.toSorted(), [0, 2, 3]);
  own.cpu.irqWork.kick();
  assert.equal(own.ran.length, 3, "nothing is left");
  assertSound(own.system);
});

test("an item raised twice before it runs, runs once; raised after, it runs again", () => {
  const own = ownCpu(2);
  raise(own, 1, 1, 0, 1);
  own.cpu.irqWork.kick();
  assert.deepEqual(own.ran.toSorted(), [0, 1]);
  raise(own, 1);
  own.cpu.irqWork.kick();
  assert.deepEqual(own.ran.toSorted(), [0, 1, 1]);
});

test("an item raised inside its handler, or another's, runs again in the same kick", () => {
  let left = 3;
  const own: OwnCpu = ownCpu(3, (item) => {
    if (item === 0 && left-- > 0) raise(own, 0, 0, 2);
  });
  raise(own, 0);
  own.cpu.irqWork.kick();
  assert.deepEqual(own.ran.toSorted(), [0, 0, 0, 0, 2, 2, 2]);
});

test("an item that raises itself for ever does not keep kick for ever, and stays pending", () => {
  const own: OwnCpu = ownCpu(1, () => raise(own, 0));
  raise(own, 0);
  own.cpu.irqWork.kick();
  const rounds = own.ran.length;
  assert.ok(rounds >= 2 && rounds <= 10_000);
  assert.equal(own.cpu.inTask(), true);
  own.cpu.irqWork.kick();
  assert.ok(own.ran.length > rounds);
});

test("an item whose work cannot be done now stays pending, and keeps nobody else from running", () => {
  let busy = true;
  const own: OwnCpu = ownCpu(3, (item) => !(busy && item === 1));
  raise(own, 0, 1, 2);
  own.cpu.irqWork.kick();
  assert.deepEqual(
    own.ran.filter((item) => item !== 1),
    [2, 0],
  );
  assert.ok(own.ran.length < 6, "it is not tried over and over");
  busy = false;
  own.ran.length = 0;
  own.cpu.irqWork.kick();
  own.cpu.irqWork.kick();
  assert.deepEqual(own.ran, [1]);
  assertSound(own.system);
});

test("handlers run in hardirq context, with kick doing nothing inside", () => {
  const seen: boolean[] = [];
  const own: OwnCpu = ownCpu(2, (item) => {
    seen.push(own.cpu.inHardirq(), own.cpu.inTask());
    if (item === 1) raise(own, 0);
    own.cpu.irqWork.kick();
    if (item === 1) assert.deepEqual(own.ran, [1], "the other one waits until this one has ended");
  });
  raise(own, 1);
  own.cpu.irqWork.kick();
  assert.deepEqual(own.ran, [1, 0]);
  assert.deepEqual(seen, [true, false, true, false]);
  assert.equal(own.cpu.inTask(), true);
});

for (const [name, shift] of Object.entries({ SOFTIRQ_SHIFT, HARDIRQ_SHIFT, NMI_SHIFT })) {
  test(`inside ${name} nothing runs, at its end everything does`, () => {
    const own = ownCpu(2);
    own.cpu.nested(shift, () => {
      raise(own, 0, 1);
      own.cpu.irqWork.kick();
      own.cpu.nested(SOFTIRQ_SHIFT, () => raise(own, 1));
      assert.deepEqual(own.ran, []);
    });
    assert.deepEqual(own.ran.toSorted(), [0, 1]);
  });
}

test("what was raised in a context that throws runs too", () => {
  const own = ownCpu(1);
  const context = new Context(own.cpu, () => {});
  const failing = (): void => {
    raise(own, 0);
    throw new Error("on purpose");
  };
  assert.throws(() => context.nmi(failing), /on purpose/);
  assert.deepEqual(own.ran, [0]);
  assert.equal(own.cpu.inTask(), true);
});

test("a handler that throws takes no other item with it", () => {
  const own = ownCpu(3, (item) => {
    if (item === 1) throw new Error("on purpose");
  });
  raise(own, 0, 1, 2);
  assert.throws(() => own.cpu.irqWork.kick(), /on purpose/);
  assert.equal(own.cpu.inTask(), true);
  raise(own, 0, 2);
  own.cpu.irqWork.kick();
  assert.ok(own.ran.includes(0) && own.ran.includes(2), `ran: ${own.ran.join()}`);
});

/** A random program: raises, kicks, and nested contexts around them. */
type Program = ({ raise: number } | { kick: true } | { nest: number; body: Program })[];
const { program } = fc.letrec<{ program: Program }>((tie) => ({
  program: fc.array(
    fc.oneof(
      { maxDepth: 4 },
      fc.record({ raise: fc.nat(4) }),
      fc.constant({ kick: true as const }),
      fc.record({ nest: fc.constantFrom(SOFTIRQ_SHIFT, HARDIRQ_SHIFT, NMI_SHIFT), body: tie("program") }),
    ),
    { maxLength: 8 },
  ),
}));

function play(own: OwnCpu, pending: Set<number>, steps: Program, depth: number): void {
  for (const step of steps) {
    if ("raise" in step) raise(own, step.raise);
    if ("raise" in step) pending.add(step.raise);
    if ("nest" in step) own.cpu.nested(step.nest, () => play(own, pending, step.body, depth + 1));
    if ("kick" in step) own.cpu.irqWork.kick();
    const ran = own.ran.splice(0);
    const runs = depth === 0 && !("raise" in step);
    assert.deepEqual(ran.toSorted(), runs ? [...pending].toSorted() : []);
    if (runs) pending.clear();
  }
}

test("in any program, what is pending runs once, at the next kick or end of context in task context", () => {
  fc.assert(fc.property(program, (steps) => play(ownCpu(5), new Set(), steps, 0)));
});
