/** heap.rcu: read sections, closures and promises; several CPUs on this thread, driven by polls alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type RcuApi, rcuAssignPointer, rcuDereference, SharedHeap, type TasksTraceApi } from "sharedheap";
import { changesNothing, cpusOf, MIB, refuses, settle, throwsCode } from "../memalloc/heaps.ts";

type Api = RcuApi | TasksTraceApi;

/** Both kinds of grace periods: their calls, and a section of that kind on a heap; returns what ends it. */
const FLAVOURS: [string, (heap: SharedHeap) => Api, (heap: SharedHeap) => () => void][] = [
  [
    "rcu",
    ({ rcu }) => rcu,
    ({ rcu }) => {
      rcu.readLock();
      return () => rcu.readUnlock();
    },
  ],
  [
    "tasksTrace",
    ({ rcu }) => rcu.tasksTrace,
    ({ rcu }) => {
      const section = rcu.tasksTrace.enter();
      return () => section.exit();
    },
  ],
];

function pair(): [SharedHeap, SharedHeap] {
  return cpusOf(2, { bytes: MIB }) as [SharedHeap, SharedHeap];
}

/** Polls until `done`, a few times at most, and lets promises go on in between. */
async function pollUntil(heap: SharedHeap, done: () => boolean): Promise<void> {
  for (let i = 0; i < 10 && !done(); i++) {
    heap.poll();
    await setImmediate();
  }
  assert.ok(done());
}

for (const [name, apiOf, begin] of FLAVOURS) {
  describe(name, () => {
    test("call runs nothing itself; a poll does, once the sections that were open have ended", () => {
      const [a, b] = pair();
      const ran: string[] = [];
      apiOf(a).call(() => ran.push("no section"));
      assert.equal(ran.length, 0);
      a.poll();
      assert.deepEqual(ran, ["no section"]);
      for (const reader of [a, b]) {
        const end = begin(reader);
        apiOf(a).call(() => ran.push("section"));
        settle(a);
        settle(b);
        assert.equal(ran.length, 1, "on whichever CPU the section is");
        end();
        a.poll();
        assert.equal(ran.pop(), "section");
      }
      settle(a);
      assert.equal(ran.length, 1, "once");
      a.checkInvariants();
    });

    test("closures run in the order given, in this thread's polls only, also when one throws", () => {
      const [a, b] = pair();
      const ran: number[] = [];
      for (let i = 0; i < 10; i++) {
        apiOf(a).call(() => {
          ran.push(i);
          if (i === 4) throw new RangeError("on purpose");
        });
      }
      settle(b);
      assert.deepEqual(ran, []);
      assert.throws(() => a.poll(), RangeError);
      settle(a);
      assert.deepEqual(ran, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    test("a closure may give closures", () => {
      const [a] = pair();
      const ran: number[] = [];
      const again = (left: number): void => {
        ran.push(left);
        if (left > 0) apiOf(a).call(() => again(left - 1));
      };
      apiOf(a).call(() => again(3));
      settle(a);
      assert.deepEqual(ran, [3, 2, 1, 0]);
    });

    test("callHurry ends the period at once, and runs nothing itself", () => {
      const [a, b] = pair();
      const ran: string[] = [];
      apiOf(a).callHurry(() => ran.push("hurried"));
      assert.equal(ran.length, 0);
      const end = begin(b);
      a.poll();
      assert.deepEqual(ran, ["hurried"], "the section began after the period had ended");
      apiOf(a).callHurry(() => ran.push("held up"));
      settle(a);
      assert.equal(ran.length, 1);
      end();
      a.poll();
      assert.equal(ran.length, 2);
    });

    test("requestUrgent ends what can be ended, and waits for nothing", () => {
      const [a, b] = pair();
      const ran: string[] = [];
      apiOf(a).call(() => ran.push("closure"));
      apiOf(a).requestUrgent();
      const end = begin(b);
      apiOf(a).requestUrgent();
      a.poll();
      assert.deepEqual(ran, ["closure"]);
      end();
    });

    test("synchronize resolves after the sections that are open, many at once", async () => {
      const [a, b] = pair();
      const end = begin(b);
      let resolved = 0;
      for (let i = 0; i < 100; i++)
        void apiOf(i % 2 ? a : b)
          .synchronize()
          .then(() => resolved++);
      for (const heap of [a, b, a, b]) heap.poll();
      await setImmediate();
      assert.equal(resolved, 0);
      end();
      a.poll();
      await setImmediate();
      assert.equal(resolved, 50, "those that were asked for on this heap");
      await pollUntil(b, () => resolved === 100);
    });

    test("synchronize does not wait for sections that begin after it", async () => {
      const [a, b] = pair();
      let end = begin(b);
      let resolved = false;
      void apiOf(a)
        .synchronize()
        .then(() => {
          resolved = true;
        });
      for (let i = 0; i < 8 && !resolved; i++) {
        end();
        end = begin(b);
        a.poll();
        await setImmediate();
      }
      assert.equal(resolved, true);
      end();
    });

    test("barrier resolves after all closures that were given before, on all heaps, have run", async () => {
      const [a, b] = pair();
      const ran: string[] = [];
      apiOf(a).call(() => ran.push("a"));
      apiOf(b).call(() => ran.push("b"));
      let done = false;
      void apiOf(a)
        .barrier()
        .then(() => {
          done = true;
        });
      apiOf(b).call(() => ran.push("later"));
      settle(a);
      await setImmediate();
      assert.deepEqual([ran, done], [["a"], false]);
      b.poll();
      await pollUntil(a, () => done);
      assert.deepEqual(ran.slice(0, 2), ["a", "b"]);
    });

    test("barrier with nothing given resolves, though a section is open", async () => {
      const [a, b] = pair();
      const end = begin(b);
      let done = false;
      void apiOf(a)
        .barrier()
        .then(() => {
          done = true;
        });
      await pollUntil(a, () => done);
      end();
    });

    test("barrier waits for what was freed with freeRcu", async () => {
      const [a, b] = pair();
      const pool = a.memCache({ name: "fixed", size: 64 });
      const end = begin(b);
      for (const p of Array.from({ length: 500 }, () => pool.alloc())) pool.freeRcu(p);
      a.poll();
      let done = false;
      void apiOf(a)
        .barrier()
        .then(() => {
          done = true;
        });
      settle(a);
      await setImmediate();
      // only RCU sections keep the first of these grace periods from ending, only tasks trace the second
      assert.equal(done, false);
      end();
      await pollUntil(a, () => done);
      a.checkInvariants();
    });

    test("closures of a thread that detached are not run, nor waited for", async () => {
      const [a, b] = pair();
      apiOf(b).call(() => assert.fail("it ran"));
      b.detach();
      const next = SharedHeap.attach(a.token, { turns: false });
      assert.equal(next.cpu, b.cpu);
      let done = false;
      void apiOf(a)
        .barrier()
        .then(() => {
          done = true;
        });
      settle(next);
      await pollUntil(a, () => done);
    });

    test("in a declared context a poll runs no closure", () => {
      const [a] = pair();
      let ran = 0;
      apiOf(a).call(() => ran++);
      for (const kind of ["softirq", "hardirq", "nmi"] as const) {
        a.context[kind](() => a.poll());
        assert.equal(ran, 0, kind);
      }
      a.context.nmi(() => apiOf(a).call(() => ran++));
      a.poll();
      assert.equal(ran, 2);
    });
  });
}

test("closures of one kind run in the order given, though a section ends while they are looked at", async () => {
  const [a, b] = pair();
  const ran: string[] = [];
  b.rcu.readLock();
  a.rcu.call(() => ran.push("first"));
  let done = false;
  void b.rcu.barrier().then(() => {
    done = true;
  });
  a.rcu.tasksTrace.call(() => b.rcu.readUnlock());
  a.rcu.call(() => ran.push("second"));
  a.poll();
  b.poll();
  await setImmediate();
  assert.ok(ran[0] !== "second", "the second one ran first");
  assert.ok(
    !done || ran.includes("first"),
    "the barrier is past before the closure that it waits for has run",
  );
  settle(a);
  assert.deepEqual(ran, ["first", "second"]);
});

test("a closure that detaches is the last one to run", () => {
  const [a, b] = pair();
  a.rcu.call(() => a.detach());
  a.rcu.call(() => assert.fail("it ran"));
  void a.rcu.synchronize().then(() => assert.fail("it was looked at"));
  a.poll();
  const next = SharedHeap.attach(b.token, { turns: false });
  assert.equal(next.cpu, a.cpu);
  throwsCode("detached", () => a.poll());
  b.checkInvariants();
});

describe("pointers", () => {
  test("what was assigned is what is read, on any heap", () => {
    const [a, b] = pair();
    const slot = a.malloc(16);
    for (const p of [0, 8, 4096, 2 ** 31 - 8, 2 ** 31, 2 ** 32 - 8]) {
      rcuAssignPointer(a, slot + 4, p);
      assert.equal(rcuDereference(b, slot + 4), p);
      assert.equal(a.u32[slot / 4 + 1], p);
    }
    assert.equal(rcuDereference(b, MIB - 4), 0);
  });

  test("a slot that is none is refused, and changes nothing", () => {
    const [a] = pair();
    for (const slot of [-4, 1, 2, 5.5, MIB, 2 ** 32, 2 ** 40, Number.NaN, Infinity, undefined, "8", null]) {
      refuses(a, "bad-pointer", () => rcuAssignPointer(a, slot as number, 8), String(slot));
      refuses(a, "bad-pointer", () => rcuDereference(a, slot as number), String(slot));
    }
    changesNothing(a, () => rcuDereference(a, 0));
  });
});

test("a grace period may be hurried in any context: in a nested one it is left to a poll", () => {
  const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 2, turns: false });
  const { periods } = heap.stats().rcu;
  let ran = 0;
  heap.context.nmi(() => heap.rcu.callHurry(() => ran++));
  assert.equal(heap.stats().rcu.periods, periods);
  heap.poll();
  assert.equal(ran, 1);
  heap.rcu.requestUrgent();
  assert.ok(heap.stats().rcu.periods > periods);
  heap.checkInvariants();
});
