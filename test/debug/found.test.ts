/** Each kind of misuse, in each kind of memory, is found where it is to be found, and the report names both sites. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type MemCache, SharedHeap } from "sharedheap";
import { debugCpus, debugHeap, here, reportOf, says, saysSites, type Way, waysOf } from "./support.ts";

const SIZE = 61;

/** Writes to an object where the program must not. Returns what was written to, as reports say it. */
interface Misuse {
  readonly name: string;
  readonly write: (heap: SharedHeap, p: number) => void;
  readonly says: RegExp;
}

const OUTSIDE: readonly Misuse[] = [
  {
    name: "one byte behind it",
    write: (heap, p) => heap.u8.fill(7, p + SIZE, p + SIZE + 1),
    says: /overrun: from offset 61 on expected cc cc cc( cc)*, found 07 cc cc/,
  },
  {
    name: "a word behind it",
    write: (heap, p) => heap.i32.fill(-1, (p + 64) / 4, (p + 68) / 4),
    says: /overrun: from offset 64 on expected cc.*, found ff ff ff ff cc/,
  },
  {
    name: "one byte in front of it",
    write: (heap, p) => heap.u8.fill(7, p - 1, p),
    says: /underrun: from offset -1 on expected cc, found 07;/,
  },
  {
    name: "the first byte of the zone in front of it",
    write: (heap, p) => heap.u8.fill(7, p - 16, p - 15),
    says: /underrun: from offset -16 on expected cc.*, found 07 cc/,
  },
];

/** Each way to allocate, over a heap of its own. */
function eachWay(fn: (heap: SharedHeap, way: Way) => void): void {
  const { length } = waysOf(debugHeap(), SIZE);
  for (let i = 0; i < length; i++) {
    const heap = debugHeap();
    fn(heap, waysOf(heap, SIZE)[i]);
  }
}

/** Two objects, of which the second begins where the memory of the first ends, and where each was allocated. */
function neighbours(pool: MemCache): [p: number, place: string][] {
  const all = Array.from({ length: 48 }, (): [number, string] => [pool.alloc(), here()]);
  all.sort(([a], [b]) => a - b);
  const first = all.findIndex(([p], i) => all[i + 1]?.[0] === p + 128);
  return all.slice(first, first + 2);
}

/** One line of `verify`, and no other. */
function verified(heap: SharedHeap): string {
  const problems = heap.verify();
  assert.equal(problems.length, 1, problems.join("\n"));
  return problems[0];
}

for (const misuse of OUTSIDE) {
  describe(`a write to ${misuse.name}`, () => {
    test("is found by verify, and at the free, which is done all the same", () => {
      eachWay((heap, way) => {
        const [p, allocated] = [way.alloc(SIZE), here()];
        assert.deepEqual(heap.verify(), [], way.name);
        misuse.write(heap, p);
        const live = verified(heap);
        says(live, misuse.says, `object at ${p} (61 bytes) of ${way.pool}`);
        saysSites(live, allocated);
        assert.match(
          reportOf("corrupt", () => heap.checkInvariants()),
          misuse.says,
        );
        const [freed, report] = [here(), reportOf("corrupt", () => way.free(p))];
        says(report, misuse.says, "(CPU 0 first)");
        saysSites(report, allocated, freed);
        reportOf("double-free", () => way.free(p));
        assert.deepEqual(heap.verify(), [], "it is told once");
        heap.detach();
      });
    });

    test("while the object is in quarantine is found by verify, and at detach", () => {
      eachWay((heap, way) => {
        const [p, allocated] = [way.alloc(SIZE), here()];
        const [, freed] = [way.free(p), here()];
        misuse.write(heap, p);
        const line = verified(heap);
        says(line, misuse.says);
        saysSites(line, allocated, freed);
        const report = reportOf("corrupt", () => heap.detach());
        says(report, misuse.says);
        saysSites(report, allocated, freed);
        assert.deepEqual(heap.verify(), []);
      });
    });
  });
}

describe("a write to a freed object", () => {
  test("is found by verify, and at detach, whichever byte it is", () => {
    for (const at of [0, 1, 2, 3, 30, SIZE - 1])
      eachWay((heap, way) => {
        const [p, allocated] = [way.alloc(SIZE), here()];
        const [, freed] = [way.free(p), here()];
        heap.u8[p + at] = 0;
        const expected = `use after free: from offset ${at} on expected 6b`;
        const line = verified(heap);
        says(line, expected, /found 00[ ;]/, `object at ${p} (61 bytes) of ${way.pool}`);
        saysSites(line, allocated, freed);
        says(
          reportOf("corrupt", () => heap.detach()),
          expected,
        );
      });
  });

  test("is found when it leaves quarantine, by whichever call that is", () => {
    eachWay((heap, way) => {
      const p = way.alloc(SIZE);
      const [, freed] = [way.free(p), here()];
      heap.u8[p + 5] = 1;
      let report = "";
      for (let i = 0; report === "" && i < 2000; i++) {
        const other = heap.kmalloc(100);
        try {
          heap.kfree(other);
        } catch (error) {
          report = (error as Error).message;
        }
      }
      says(report, "use after free: from offset 5 on", `object at ${p} `, new RegExp(freed));
      assert.deepEqual(heap.verify(), []);
      heap.detach();
    });
  });

  test("after it has left quarantine is found when it is used again, and told by the next call that may", () => {
    const heap = debugHeap();
    const pool = heap.memCache({ name: "fixed", size: SIZE });
    const p = pool.alloc();
    const [, freed] = [pool.free(p), here()];
    for (let i = 0; i < 600; i++) heap.kfree(heap.kmalloc(8));
    heap.u8[p + 60] = 1;
    const others: number[] = [];
    while (!others.includes(p)) others.push(pool.alloc());
    const report = reportOf("corrupt", () => heap.poll());
    says(report, "use after free: from offset 60 on", `object at ${p} `, new RegExp(freed));
    heap.poll();
    for (const other of others) pool.free(other);
    heap.detach();
  });

  test("is told by a turn of the event loop, if no call does", () => {
    const child = fileURLToPath(new URL("./turn-child.js", import.meta.url));
    const { stderr, status } = spawnSync(process.execPath, [child], { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /SharedHeapError: use after free: from offset 60 on .* allocated at \S+turn-child\.js:\d+:/,
    );
  });
});

describe("several at once", () => {
  test("are told together, and detach does all it has to", () => {
    const heap = debugHeap();
    const objects = Array.from({ length: 5 }, () => heap.kmalloc(32));
    for (const p of objects) heap.kfree(p);
    for (const p of objects) heap.u8[p] = 0;
    assert.equal(heap.verify().length, 5);
    const lines = reportOf("corrupt", () => heap.detach()).split("\n");
    assert.equal(lines.length, 5);
    for (const [i, p] of objects.entries()) says(lines[i], `object at ${p} `);
    assert.deepEqual(heap.verify(), []);
    reportOf("detached", () => heap.kmalloc(8));
  });

  test("of which one damages what is kept of the next object: both reports name the first", () => {
    for (const length of [60, 71]) {
      const heap = debugHeap();
      const [[culprit, allocated], [victim]] = neighbours(heap.memCache({ name: "fixed", size: 56 }));
      // up to the allocator's header, and through it up to the record
      heap.u8.fill(9, culprit + 56, culprit + 56 + length);
      const [line] = heap.verify().filter((each) => each.includes(`overrun: from offset 56 on`));
      saysSites(line, allocated);
      const report = reportOf("corrupt", () => heap.memCache({ name: "fixed", size: 56 }).free(victim));
      says(report, `free(${victim})`, `object at ${culprit} (56 bytes)`, "overrun: from offset 56 on");
      saysSites(report, allocated);
    }
  });

  test("a stray write to what is kept of an object: verify tells, and its free is refused", () => {
    const heap = debugHeap();
    const pool = heap.memCache({ name: "fixed", size: 56 });
    const p = pool.alloc();
    heap.i32[p / 4 - 11] ^= 1;
    const expected = `the object at ${p}: what debug mode keeps in front of it was overwritten`;
    says(verified(heap), expected);
    const before = heap.u8.slice();
    says(
      reportOf("corrupt", () => pool.free(p)),
      expected,
    );
    // but for the place of the call, which nobody needed
    assert.deepEqual(heap.u8.subarray(p - 64, p + 64), before.subarray(p - 64, p + 64));
    heap.i32[p / 4 - 11] ^= 1;
    pool.free(p);
    heap.detach();
  });
});

test("a thread that has gone is not taken for the one that has its CPU now", () => {
  const [heap, gone] = debugCpus(2);
  const [p, allocated] = [gone.memCache({ name: "fixed", size: 64 }).alloc(), here()];
  gone.detach();
  SharedHeap.attach(heap.token, { name: "later", turns: false });
  heap.u8[p + 64] = 1;
  const [report] = heap.verify();
  says(report, "overrun", / \(CPU 1\)/);
  saysSites(report, allocated);
  assert.ok(!report.includes("later"), report);
});
