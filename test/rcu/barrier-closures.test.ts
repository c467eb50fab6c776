/** Barriers and the closures of other threads: which they wait for, and how long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { SharedHeap } from "sharedheap";
import { cpusOf, settle } from "../memalloc/heaps.ts";

/** True once the promise is resolved, asked for in the middle of a turn. */
function isResolved(promise: Promise<void>): boolean {
  return !inspect(promise).includes("pending");
}

const FLAVOURS = [
  { name: "rcu", of: (heap: SharedHeap) => heap.rcu },
  { name: "tasks trace", of: (heap: SharedHeap) => heap.rcu.tasksTrace },
];

for (const { name, of } of FLAVOURS) {
  test(`${name}: closures that a thread left behind are not waited for when its CPU has another one`, () => {
    const [a, b] = cpusOf(2);
    of(b).call(() => assert.fail("its thread is gone"));
    b.detach();
    const c = SharedHeap.attach(a.token, { turns: false });
    const barrier = of(a).barrier();
    settle(a);
    assert.ok(isResolved(barrier));
    let ran = false;
    of(c).call(() => {
      ran = true;
    });
    const next = of(a).barrier();
    settle(a);
    assert.ok(!isResolved(next));
    settle(c);
    settle(a);
    assert.ok(ran && isResolved(next));
  });

  test(`${name}: a closure has run when a barrier on another thread ends`, () => {
    const [a, b] = cpusOf(2);
    let isOver = false;
    of(a).call(() => {
      settle(b);
      isOver = isResolved(barrier);
    });
    const barrier = of(b).barrier();
    settle(a);
    assert.equal(isOver, false);
    settle(b);
    assert.ok(isResolved(barrier));
  });

  test(`${name}: a closure that throws has run`, () => {
    const [a, b] = cpusOf(2);
    of(a).call(() => {
      throw new Error("a closure's own");
    });
    const barrier = of(b).barrier();
    assert.throws(() => settle(a), /a closure's own/);
    settle(b);
    assert.ok(isResolved(barrier));
  });
}

test("closures run in the order in which they were given, also if a reader leaves in between", () => {
  const [a, b, reader] = cpusOf(3);
  const ran: string[] = [];
  reader.rcu.readLock();
  a.rcu.call(() => ran.push("first"));
  const barrier = b.rcu.barrier();
  a.rcu.tasksTrace.call(() => reader.rcu.readUnlock());
  a.rcu.call(() => ran.push("second"));
  a.poll();
  b.poll();
  assert.equal(isResolved(barrier), ran.includes("first"));
  settle(a);
  settle(b);
  assert.deepEqual(ran, ["first", "second"]);
  assert.ok(isResolved(barrier));
});

test("a poll inside a closure runs none that was given after one that waits", () => {
  const [a] = cpusOf(1);
  const ran: number[] = [];
  a.rcu.call(() => {
    a.rcu.call(() => ran.push(2));
    settle(a);
    ran.push(0);
  });
  a.rcu.call(() => ran.push(1));
  settle(a);
  assert.deepEqual(ran, [0, 1, 2]);
});

test("a closure may detach: those after it are given up, and the CPU's next thread counts its own", () => {
  const [a, b] = cpusOf(2);
  b.rcu.call(() => b.detach());
  b.rcu.call(() => assert.fail("its thread is gone"));
  b.poll();
  const c = SharedHeap.attach(a.token, { turns: false });
  c.rcu.call(() => {});
  const barrier = a.rcu.barrier();
  settle(a);
  assert.ok(!isResolved(barrier));
  settle(c);
  settle(a);
  assert.ok(isResolved(barrier));
});

test("a poll in a nested context runs no closures", () => {
  const [a] = cpusOf(1);
  let ran = false;
  a.rcu.call(() => {
    ran = true;
  });
  a.context.nmi(() => settle(a));
  assert.equal(ran, false);
  settle(a);
  assert.equal(ran, true);
});
