/** Grace periods in debug heaps: what readers see, and who left a section open. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SECTIONS_MAX } from "#src/debug/layout.js";
import { usedObjects } from "../memalloc/heaps.ts";
import { debugCpus, debugHeap, here, reportOf, says, saysSites } from "./support.ts";

describe("an object freed with freeRcu", () => {
  test("is what it was while a reader may see it, and poisoned after", () => {
    const [heap, reader] = debugCpus(2);
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const p = pool.alloc();
    heap.u8.fill(42, p, p + 64);
    reader.rcu.readLock();
    pool.freeRcu(p);
    const isWhole = () => heap.u8.subarray(p, p + 64).every((byte) => byte === 42);
    for (let i = 0; i < 10; i++) {
      for (const each of [heap, reader]) each.poll();
      assert.ok(isWhole(), `after ${i} polls`);
    }
    heap.checkInvariants();
    reader.rcu.readUnlock();
    heap.poll();
    heap.poll();
    assert.ok(heap.u8.subarray(p, p + 64).every((byte) => byte === 0x6b));
    assert.equal(heap.stats().debug?.quarantined, 1);
  });

  test("and written to beyond its end by a reader: found when that is over, by whoever finds it so", () => {
    const [heap, reader] = debugCpus(2);
    const pool = heap.memCache({ name: "fixed", size: 64 });
    const [p, allocated] = [pool.alloc(), here()];
    reader.rcu.readLock();
    const [, freed] = [pool.freeRcu(p), here()];
    reader.u8[p + 64] = 1;
    saysSites(heap.verify().join(), allocated, freed);
    reader.rcu.readUnlock();
    const report = reportOf("corrupt", () => reader.poll());
    says(report, "overrun: from offset 64 on", "(CPU 0 first)");
    saysSites(report, allocated, freed);
    assert.deepEqual(heap.verify(), []);
  });

  test("and to its contents after the grace period: found", () => {
    const heap = debugHeap();
    const pool = heap.memAlloc({ name: "any" });
    const [p, allocated] = [pool.alloc(100), here()];
    const [, freed] = [pool.freeRcu(p), here()];
    heap.poll();
    heap.u8[p + 99] = 1;
    const report = reportOf("corrupt", () => heap.detach());
    says(report, "use after free: from offset 99 on");
    saysSites(report, allocated, freed);
  });

  test("a thread that detaches leaves it to others, who take it through quarantine", () => {
    const [heap, other, reader] = debugCpus(3);
    const pool = other.memCache({ name: "fixed", size: 64 });
    const objects = Array.from({ length: 50 }, () => pool.alloc());
    reader.rcu.readLock();
    for (const p of objects) pool.freeRcu(p);
    other.detach();
    heap.checkInvariants();
    reader.rcu.readUnlock();
    for (let i = 0; i < 4; i++) heap.poll();
    assert.equal(heap.stats().debug?.quarantined, 50);
    heap.checkInvariants();
    for (const each of [heap, reader]) each.detach();
    assert.equal(usedObjects(heap), 0);
  });
});

describe("a section left open", () => {
  test("at detach: the error names where each was opened", () => {
    const heap = debugHeap();
    const [, first] = [heap.rcu.readLock(), here()];
    const [, second] = [heap.rcu.readLock(), here()];
    heap.rcu.readUnlock();
    const [section, third] = [heap.rcu.tasksTrace.enter(), here()];
    const [phase, fourth] = [heap.rcu.tasksTrace.lock(), here()];
    section.exit();
    const report = reportOf("rcu-unbalanced", () => heap.detach());
    says(
      report,
      "detach() inside a read section",
      new RegExp(`opened at \\S*${first}:\\d+, and at \\S*${fourth}`),
    );
    assert.ok(![second, third].some((ended) => report.includes(ended)), report);
    heap.rcu.tasksTrace.unlock(phase);
    heap.rcu.readUnlock();
    heap.detach();
  });

  test("by `using`, and deeper than places are kept", () => {
    const heap = debugHeap();
    {
      using _ = heap.rcu.read();
      const opened = here().replace(/\d+$/, (line) => String(Number(line) - 1));
      says(
        reportOf("rcu-unbalanced", () => heap.detach()),
        opened,
      );
    }
    for (let i = 0; i < 3 * SECTIONS_MAX; i++) heap.rcu.readLock();
    const phases = Array.from({ length: 3 * SECTIONS_MAX }, () => heap.rcu.tasksTrace.lock());
    reportOf("rcu-unbalanced", () => heap.detach());
    for (let i = 0; i < 3 * SECTIONS_MAX; i++) heap.rcu.readUnlock();
    for (const phase of phases) heap.rcu.tasksTrace.unlock(phase);
    reportOf("rcu-unbalanced", () => heap.rcu.readUnlock());
    heap.detach();
  });

  test("across an await: the error of the turn names where", () => {
    const child = fileURLToPath(new URL("./await-child.js", import.meta.url));
    const { stderr, status } = spawnSync(process.execPath, [child], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /an RCU read section \(opened at \S+await-child\.js:\d+:\d+\) was left open when a turn ended/,
    );
  });

  test("that others wait for: stalls name where, of both kinds", () => {
    const [heap, reader] = debugCpus(2);
    const [, first] = [reader.rcu.readLock(), here()];
    const [section, second] = [reader.rcu.tasksTrace.enter(), here()];
    void heap.rcu.synchronize();
    void heap.rcu.tasksTrace.synchronize();
    for (let i = 0; i < 5; i++) heap.poll();
    const places = heap
      .stats()
      .rcu.blockedBy.map(({ flavour, openedAt }) => `${flavour} ${openedAt?.join()}`);
    assert.ok(
      places.some((place) => place.startsWith("rcu") && place.includes(first)),
      places.join("\n"),
    );
    assert.ok(places.some((place) => place.startsWith("tasks-trace") && place.includes(second)));
    section.exit();
    reader.rcu.readUnlock();
  });
});

test("unlocks that are wrong are refused as in release mode; a section that has ended cannot end again", () => {
  const heap = debugHeap();
  const first = heap.rcu.tasksTrace.lock();
  const second = heap.rcu.tasksTrace.lock();
  const lies = [-1, 2, 3, 0.5, 2 ** 32, Number.NaN, undefined, null, "0", first + 0.5, first + 2 ** 32];
  for (const lie of lies) reportOf("rcu-unbalanced", () => heap.rcu.tasksTrace.unlock(lie as number));
  heap.rcu.tasksTrace.unlock(first);
  reportOf("rcu-unbalanced", () => heap.rcu.tasksTrace.unlock(first));
  heap.rcu.tasksTrace.unlock(second);
  heap.detach();
});
