/** Read sections of heap.rcu: how they begin and end, and what is refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SharedHeap } from "sharedheap";
import { cpusOf, MIB, refuses, settle, throwsCode } from "../memalloc/heaps.ts";

function pair(): [SharedHeap, SharedHeap] {
  return cpusOf(2, { bytes: MIB }) as [SharedHeap, SharedHeap];
}

/** True if a closure of `heap` has to wait for a section of that kind now. */
function isHeldUp(heap: SharedHeap, kind: "rcu" | "trace"): boolean {
  let ran = false;
  const api = kind === "rcu" ? heap.rcu : heap.rcu.tasksTrace;
  api.call(() => {
    ran = true;
  });
  settle(heap);
  return !ran;
}

describe("synchronous sections", () => {
  test("end with the block that `using` is in", () => {
    const [a, b] = pair();
    {
      using _outer = b.rcu.read();
      {
        using _inner = b.rcu.read();
        assert.equal(isHeldUp(a, "rcu"), true);
      }
      assert.equal(isHeldUp(a, "rcu"), true);
    }
    assert.equal(isHeldUp(a, "rcu"), false);
    const failing = (): void => {
      using _section = b.rcu.read();
      throw new RangeError("on purpose");
    };
    assert.throws(failing, RangeError);
    assert.equal(isHeldUp(a, "rcu"), false);
    a.checkInvariants();
  });

  test("may be opened and closed in any context", () => {
    const [a, b] = pair();
    b.context.nmi(() => b.rcu.readLock());
    assert.equal(isHeldUp(a, "rcu"), true);
    b.context.hardirq(() => b.rcu.readUnlock());
    assert.equal(isHeldUp(a, "rcu"), false);
  });

  test("an unlock too many is refused and changes nothing", () => {
    const [a, b] = pair();
    refuses(a, "rcu-unbalanced", () => b.rcu.readUnlock());
    refuses(a, "rcu-unbalanced", () => b.rcu[Symbol.dispose]());
    b.rcu.readLock();
    b.rcu.readUnlock();
    refuses(a, "rcu-unbalanced", () => b.rcu.readUnlock());
  });
});

describe("tasks-trace sections", () => {
  test("span awaits, many at once, and end with their blocks", async () => {
    const [a, b] = pair();
    const order: number[] = [];
    const reader = async (turns: number): Promise<void> => {
      await using _section = b.rcu.tasksTrace.enter();
      for (let i = 0; i < turns; i++) await setImmediate();
      order.push(turns);
    };
    const readers = [5, 1, 3, 2].map(reader);
    let isOver = false;
    const over = a.rcu.tasksTrace.synchronize().then(() => {
      isOver = true;
    });
    while (order.length < 4) {
      a.poll();
      assert.equal(isOver, false);
      await setImmediate();
    }
    await Promise.all(readers);
    assert.deepEqual(order, [1, 2, 3, 5]);
    settle(a);
    await over;
    a.checkInvariants();
  });

  test("end when what they are in fails", async () => {
    const [a, b] = pair();
    const failing = async (): Promise<void> => {
      await using _section = b.rcu.tasksTrace.enter();
      await setImmediate();
      throw new RangeError("on purpose");
    };
    await assert.rejects(failing, RangeError);
    assert.equal(isHeldUp(a, "trace"), false);
  });

  test("end by exit, by `using`, or by unlock, in any order, each once", () => {
    const [a, b] = pair();
    const phase = b.rcu.tasksTrace.lock();
    const first = b.rcu.tasksTrace.enter();
    const second = b.rcu.tasksTrace.enter();
    first.exit();
    refuses(a, "rcu-unbalanced", () => first.exit());
    refuses(a, "rcu-unbalanced", () => first[Symbol.dispose]());
    assert.equal(isHeldUp(a, "trace"), true);
    b.rcu.tasksTrace.unlock(phase);
    assert.equal(isHeldUp(a, "trace"), true);
    second[Symbol.dispose]();
    assert.equal(isHeldUp(a, "trace"), false);
    refuses(a, "rcu-unbalanced", () => second.exit());
    refuses(a, "rcu-unbalanced", () => b.rcu.tasksTrace.unlock(phase));
    a.checkInvariants();
  });

  test("asyncDispose of a section that has ended rejects", async () => {
    const [, b] = pair();
    const section = b.rcu.tasksTrace.enter();
    section.exit();
    await assert.rejects(section[Symbol.asyncDispose](), { code: "rcu-unbalanced" });
  });

  test("an unlock of what lock never returned is refused and changes nothing", () => {
    const [a, b] = pair();
    // none of the words beside the counts of sections is 0
    for (const kind of ["rcu", "trace"] as const) assert.equal(isHeldUp(b, kind), false);
    b.rcu.readLock();
    const phase = b.rcu.tasksTrace.lock();
    for (const lie of [-2, 2, 3, -1, -4, 0.5, 14, Number.NaN, Infinity, undefined, null, "0", 2 ** 32])
      refuses(a, "rcu-unbalanced", () => b.rcu.tasksTrace.unlock(lie as number), String(lie));
    b.rcu.tasksTrace.unlock(phase);
  });
});

describe("detach", () => {
  test("inside a section is refused; the heap stays attached, and can detach after it", () => {
    const [a, b] = pair();
    const p = b.malloc(10);
    b.rcu.readLock();
    refuses(a, "rcu-unbalanced", () => b.detach());
    b.rcu.readUnlock();
    const section = b.rcu.tasksTrace.enter();
    refuses(a, "rcu-unbalanced", () => b.detach());
    refuses(a, "rcu-unbalanced", () => b[Symbol.dispose]());
    b.free(p);
    section.exit();
    b.detach();
    a.checkInvariants();
  });

  test("is not kept from by sections of other threads", () => {
    const [a, b] = pair();
    a.rcu.readLock();
    const section = a.rcu.tasksTrace.enter();
    b.detach();
    a.rcu.readUnlock();
    section.exit();
    a.checkInvariants();
  });

  const calls: [string, (heap: SharedHeap) => unknown][] = [
    ["rcu.readLock", ({ rcu }) => rcu.readLock()],
    ["rcu.readUnlock", ({ rcu }) => rcu.readUnlock()],
    ["rcu.read", ({ rcu }) => rcu.read()],
    ["rcu.call", ({ rcu }) => rcu.call(() => assert.fail("it ran"))],
    ["rcu.callHurry", ({ rcu }) => rcu.callHurry(() => assert.fail("it ran"))],
    ["rcu.requestUrgent", ({ rcu }) => rcu.requestUrgent()],
    ["rcu.synchronize", ({ rcu }) => rcu.synchronize()],
    ["rcu.barrier", ({ rcu }) => rcu.barrier()],
    ["tasksTrace.enter", ({ rcu }) => rcu.tasksTrace.enter()],
    ["tasksTrace.lock", ({ rcu }) => rcu.tasksTrace.lock()],
    ["tasksTrace.unlock", ({ rcu }) => rcu.tasksTrace.unlock(0)],
    ["tasksTrace.call", ({ rcu }) => rcu.tasksTrace.call(() => assert.fail("it ran"))],
    ["tasksTrace.callHurry", ({ rcu }) => rcu.tasksTrace.callHurry(() => assert.fail("it ran"))],
    ["tasksTrace.requestUrgent", ({ rcu }) => rcu.tasksTrace.requestUrgent()],
    ["tasksTrace.synchronize", ({ rcu }) => rcu.tasksTrace.synchronize()],
    ["tasksTrace.barrier", ({ rcu }) => rcu.tasksTrace.barrier()],
  ];
  for (const [name, call] of calls) {
    test(`${name} after it is refused and changes nothing, whoever has the CPU`, () => {
      const [a, b] = pair();
      b.detach();
      refuses(a, "detached", () => call(b));
      const next = SharedHeap.attach(a.token, { turns: false });
      assert.equal(next.cpu, b.cpu);
      next.rcu.readLock();
      next.rcu.tasksTrace.lock();
      refuses(a, "detached", () => call(b));
      next.rcu.readUnlock();
      a.checkInvariants();
    });
  }
});

test("a heap of one thread has the same calls", async () => {
  const heap = SharedHeap.create({ bytes: MIB, shared: false, turns: false });
  const section = heap.rcu.tasksTrace.enter();
  heap.rcu.readLock();
  assert.deepEqual([isHeldUp(heap, "rcu"), isHeldUp(heap, "trace")], [true, true]);
  heap.rcu.readUnlock();
  section.exit();
  assert.deepEqual([isHeldUp(heap, "rcu"), isHeldUp(heap, "trace")], [false, false]);
  const promises = [heap.rcu.synchronize(), heap.rcu.barrier(), heap.rcu.tasksTrace.synchronize()];
  settle(heap);
  await Promise.all(promises);
  heap.checkInvariants();
  throwsCode("rcu-unbalanced", () => heap.rcu.readUnlock());
});
