import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Waiters } from "#src/waiters.js";

/** Waiters for a number that grows, and what ran. */
function counting(): {
  waiters: Waiters;
  ran: string[];
  wakes: () => number;
  add: AddAt;
  reach: (to: number) => void;
} {
  let now = 0;
  let woken = 0;
  const ran: string[] = [];
  const waiters = new Waiters(() => woken++);
  const add: AddAt = (at, name, then = () => {}) =>
    waiters.add(
      () => now >= at,
      () => {
        ran.push(name);
        then();
      },
    );
  const reach = (to: number): void => {
    now = to;
    waiters.poll();
  };
  return { waiters, ran, wakes: () => woken, add, reach };
}

type AddAt = (at: number, name: string, then?: () => void) => void;

test("nothing runs in add, what is over runs in a poll, once", () => {
  const { waiters, ran, add, reach } = counting();
  assert.equal(waiters.isEmpty, true);
  add(0, "a");
  assert.deepEqual([ran, waiters.isEmpty], [[], false]);
  reach(0);
  assert.deepEqual([ran, waiters.isEmpty], [["a"], true]);
  reach(1);
  assert.deepEqual(ran, ["a"]);
});

test("each add asks for a turn, a poll asks for none", () => {
  const { waiters, wakes, add, reach } = counting();
  add(0, "a");
  add(5, "b");
  assert.equal(wakes(), 2);
  reach(1);
  assert.equal(wakes(), 2);
  assert.equal(waiters.isEmpty, false, "who polls sees that something is left");
});

test("in the order given, for those that are over", () => {
  const { ran, add, reach } = counting();
  for (const [at, name] of [
    [2, "a"],
    [1, "b"],
    [2, "c"],
    [1, "d"],
    [3, "e"],
  ] as const)
    add(at, name);
  reach(1);
  assert.deepEqual(ran, ["b", "d"]);
  reach(2);
  assert.deepEqual(ran, ["b", "d", "a", "c"]);
  reach(3);
  assert.deepEqual(ran.at(-1), "e");
});

test("what a closure adds runs in the next poll, behind what waits already", () => {
  const { waiters, ran, add, reach } = counting();
  add(1, "a", () => add(0, "added"));
  add(2, "b");
  reach(1);
  assert.deepEqual(ran, ["a"]);
  waiters.poll();
  assert.deepEqual(ran, ["a", "added"]);
  reach(2);
  assert.deepEqual(ran, ["a", "added", "b"]);
});

test("a closure that adds itself again for ever does not keep a poll for ever", () => {
  const { ran, add, reach } = counting();
  const again = (): void => add(0, "again", again);
  again();
  reach(1);
  assert.deepEqual(ran, ["again"]);
});

test("a closure that polls runs nothing twice, and loses nothing", () => {
  const { waiters, ran, add, reach } = counting();
  add(2, "late");
  add(1, "a", () => waiters.poll());
  add(1, "b");
  reach(1);
  assert.deepEqual(ran.toSorted(), ["a", "b"]);
  reach(2);
  assert.deepEqual(ran.toSorted(), ["a", "b", "late"]);
  assert.equal(waiters.isEmpty, true);
});

test("a closure that throws has run; those behind it are left to the next poll", () => {
  const { waiters, ran, add, reach } = counting();
  add(1, "a");
  add(2, "early");
  add(1, "throws", () => {
    throw new RangeError("on purpose");
  });
  add(1, "b");
  assert.throws(() => reach(1), RangeError);
  assert.deepEqual(ran, ["a", "throws"]);
  waiters.poll();
  assert.deepEqual(ran, ["a", "throws", "b"]);
  reach(2);
  assert.deepEqual(ran, ["a", "throws", "b", "early"]);
  assert.equal(waiters.isEmpty, true);
});

const step = fc.oneof(fc.record({ add: fc.nat(9), throws: fc.boolean() }), fc.record({ reach: fc.nat(9) }));

test("any sequence runs each once, never early, and in the order given among those that become over at once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
      const { waiters, ran, add, reach } = counting();
      const due = new Map<string, number>();
      let now = 0;
      const poll = (to: number): void => {
        now = Math.max(now, to);
        const before = ran.length;
        for (let left = due.size; left >= 0; left--) {
          try {
            reach(now);
          } catch {}
        }
        const news = ran.slice(before);
        assert.deepEqual(
          news,
          [...due.keys()].filter((name) => (due.get(name) ?? 0) <= now),
        );
        for (const name of news) due.delete(name);
        assert.equal(waiters.isEmpty, due.size === 0);
      };
      steps.forEach((each, i) => {
        if ("reach" in each) {
          poll(each.reach);
          return;
        }
        due.set(`${i}`, each.add);
        add(each.add, `${i}`, () => {
          if (each.throws) throw new Error("on purpose");
        });
      });
      poll(9);
      assert.equal(due.size, 0);
    }),
  );
});
