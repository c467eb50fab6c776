import assert from "node:assert/strict";
import { test } from "node:test";
import type { SharedHeap } from "sharedheap";
import { readBooks } from "#src/cli/books.js";
import type { Outcome } from "#src/cli/replay.js";
import { faultsOf, makeReport } from "#src/cli/report.js";
import { renderTable } from "#src/cli/table.js";

function outcomeWith(change: Partial<Outcome> = {}): Outcome {
  return {
    options: { trace: "t.gz", threads: 4, alloc: "memalloc", repeat: 2, json: false, heapBytes: undefined },
    threads: 4,
    heapBytes: 2 ** 28,
    plan: { total: 500_000, endFrees: 1000 },
    seconds: 0.25,
    tally: { failed: 0, corrupted: 0, remoteFrees: 1234, largeRequests: 56 },
    demand: { requested: 2 ** 20, units: 2 ** 21 },
    heldBytes: 3 * 2 ** 20,
    before: { held: 5, refills: 10, trims: 1 },
    after: { held: 5, refills: 3010, trims: 2001 },
    problems: [],
    ...change,
  };
}

/** A heap whose books say how much is held: of its stats, what the command line looks at. */
function heapHolding(used: number, blocks: number): SharedHeap {
  const stats = {
    allocators: [{ name: "malloc", refills: 7, trims: 8 }],
    slabs: [
      { name: "kmalloc-8", used, refills: 3 },
      { name: "kmalloc-16", used: 1, refills: 4 },
    ],
    large: { blocks },
  };
  return { stats: () => stats } as unknown as SharedHeap;
}

test("the figures", () => {
  const report = makeReport(outcomeWith());
  assert.equal(report.operations, 1_000_000);
  assert.equal(report.endFrees, 2000);
  assert.equal(report.operationsPerSecond, 4_000_000);
  assert.equal(report.refills, 3000);
  assert.equal(report.trims, 2000);
  assert.equal(report.fastPathShare, 0.995);
  assert.equal(report.heldPerUnit, 1.5);
  assert.equal(report.heldPerRequested, 3);
  assert.equal(report.largeRequests, 56);
  assert.equal(report.lost, 0);
  assert.deepEqual(faultsOf(report), []);
});

test("nothing to divide by", () => {
  const report = makeReport(outcomeWith({ demand: { requested: 0, units: 0 }, seconds: 0 }));
  assert.equal(report.heldPerUnit, null);
  assert.equal(report.heldPerRequested, null);
  assert.equal(report.operationsPerSecond, 0);
  assert.match(renderTable(report), /held \/ units +-\n/);
});

test("the books count slab objects and large blocks, and the refills of the allocator in use", () => {
  assert.deepEqual(readBooks(heapHolding(10, 2), "memalloc"), { held: 13, refills: 7, trims: 8 });
  assert.deepEqual(readBooks(heapHolding(10, 2), "kmalloc"), { held: 13, refills: 7, trims: 0 });
});

test("what is held afterwards and was not before is lost", () => {
  const before = readBooks(heapHolding(10, 0), "memalloc");
  const leaked = makeReport(outcomeWith({ before, after: readBooks(heapHolding(12, 1), "memalloc") }));
  assert.equal(leaked.lost, 3);
  assert.deepEqual(faultsOf(leaked), ["3 lost objects"]);
  const freedTwice = makeReport(outcomeWith({ before, after: readBooks(heapHolding(9, 0), "memalloc") }));
  assert.deepEqual(faultsOf(freedTwice), ["-1 lost objects"]);
});

test("faults are corruption, loss and broken invariants, not failed allocations", () => {
  const tally = { failed: 9, corrupted: 2, remoteFrees: 0, largeRequests: 0 };
  const broken = makeReport(outcomeWith({ tally, problems: ["list 3 has a loop"] }));
  assert.deepEqual(faultsOf(broken), ["2 corrupted objects", "1 broken invariants"]);
  assert.match(
    renderTable(broken),
    /broken: list 3 has a loop\n(.*\n)*FAILED: 2 corrupted objects, 1 broken/,
  );
  const full = makeReport(outcomeWith({ tally: { ...tally, corrupted: 0 } }));
  assert.deepEqual(faultsOf(full), []);
  assert.match(
    renderTable(full),
    /^9 allocations failed in a heap of 256\.0 MiB; try a larger --heap-bytes\.$/m,
  );
});

test("the table is aligned and fits 80 columns, also with large numbers and long names", () => {
  const options = { ...outcomeWith().options, trace: `${"long/".repeat(30)}x.trace.gz`, repeat: 1_000_000 };
  for (const alloc of ["memalloc", "kmalloc"] as const) {
    const plan = { total: 4_000_000, endFrees: 100_000 };
    const outcome = outcomeWith({ options: { ...options, alloc }, plan, threads: 64, heapBytes: 2 ** 32 });
    const lines = renderTable(makeReport(outcome)).split("\n");
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.match(lines[0] as string, /^\.\.\..*x\.trace\.gz: k?m(em)?alloc, 64 workers, 1,000,000 rounds$/);
    const ends = lines.flatMap(
      (line) => /^ {2}\S.*? {2,}(?=\S)([\d,.]+(?: [KMG]iB| B| %)?)/.exec(line)?.[0].length ?? [],
    );
    assert.ok(ends.length >= 10);
    assert.equal(new Set(ends).size, 1, lines.join("\n"));
  }
});

test("a report survives JSON", () => {
  const report = makeReport(outcomeWith());
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});
