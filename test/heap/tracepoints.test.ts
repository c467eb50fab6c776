/** `heap.tracepoints`: when handlers are called, with what, and which of them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type MemCache, SharedHeap, type TracepointName } from "sharedheap";
import { allocMany, cpusOf, exhaust, freeAll, MIB, oneCpu, refuses, settle } from "../memalloc/heaps.ts";
import { POINTS } from "../support/points.ts";
import { provoke } from "./points.ts";

const SIZE = 64;
const UNIT = 72;
const PAGE = 4096;
/** Of kmalloc objects: from different slab caches. */
const SIZES = [8, 96, 512, 2048, 4096, 8192];

/** Calls of handlers, as they come. */
type Event = readonly [name: TracepointName, a: number, b: number];

/** Notes all calls of the tracepoints of those names. */
function record(heap: SharedHeap, names: readonly TracepointName[] = POINTS): Event[] {
  const events: Event[] = [];
  for (const name of names) heap.tracepoints.on(name, (a, b) => events.push([name, a, b]));
  return events;
}

/** What was noted while `call` ran. */
function during(events: Event[], call: () => void): Event[] {
  events.length = 0;
  call();
  return events.splice(0);
}

function fixed(heap: SharedHeap): MemCache {
  return heap.memCache({ name: "fixed", size: SIZE });
}

// -- each tracepoint --------------------------------------------------------------------------------

test("memalloc:alloc gives the object and the size asked for, when the object is there", () => {
  const heap = oneCpu();
  const any = heap.memAlloc();
  const pool = fixed(heap);
  const events = record(heap, ["memalloc:alloc"]);
  heap.tracepoints.on("memalloc:alloc", (p) => p !== 0 && heap.u8.fill(7, p, p + 10));
  const p = any.alloc(10);
  const q = pool.alloc();
  assert.equal(heap.u8[p], 7);
  assert.deepEqual(events.splice(0), [
    ["memalloc:alloc", p, 10],
    ["memalloc:alloc", q, 0],
  ]);
  heap.context.nmi(() => exhaust({ alloc: () => pool.alloc(), free: () => {} }, SIZE));
  assert.deepEqual(events.at(-1), ["memalloc:alloc", 0, 0], "NULL is told too");
  heap.checkInvariants();
});

test("memalloc:free gives the object while it still is one, for free and freeRcu", () => {
  const heap = oneCpu();
  const pool = fixed(heap);
  const [p, q] = allocMany(pool, SIZE, 2);
  heap.u8.fill(9, p, p + SIZE);
  heap.u8.fill(9, q, q + SIZE);
  const seen: number[] = [];
  heap.tracepoints.on("memalloc:free", (object, zero) => seen.push(object, heap.u8[object + SIZE - 1], zero));
  pool.free(p);
  pool.freeRcu(q);
  assert.deepEqual(seen, [p, 9, 0, q, 9, 0]);
  heap.checkInvariants();
});

test("heap.malloc and heap.free are traced, up to what the allocator serves", () => {
  const heap = oneCpu();
  const events = record(heap, ["memalloc:alloc", "memalloc:free"]);
  const p = heap.malloc(100);
  heap.free(p);
  heap.free(heap.malloc(10_000));
  assert.deepEqual(events, [
    ["memalloc:alloc", p, 100],
    ["memalloc:free", p, 0],
  ]);
});

test("memalloc:refill gives the unit's bytes and the list's length before", () => {
  const heap = oneCpu();
  const pool = fixed(heap);
  const events = record(heap, ["memalloc:refill"]);
  pool.alloc();
  assert.deepEqual(events.splice(0), [["memalloc:refill", UNIT, 3]], "the first objects are four");
  heap.context.nmi(() => exhaust(pool, SIZE));
  assert.deepEqual(events, [["memalloc:refill", UNIT, 0]], "when the context has ended, once");
});

test("memalloc:trim gives the unit's bytes and the length that is too much", () => {
  const heap = oneCpu();
  const pool = fixed(heap);
  const objects = allocMany(pool, SIZE, 300);
  const events = record(heap, ["memalloc:trim"]);
  freeAll(pool, objects);
  assert.ok(events.length > 0);
  for (const [, unit, depth] of events) assert.deepEqual([unit, depth], [UNIT, 97]);
});

test("slab:new comes before the first slab:alloc of a slab, slab:free before slab:discard", () => {
  const heap = oneCpu();
  const events = record(heap, ["slab:new", "slab:alloc", "slab:free", "slab:discard"]);
  let p = 0;
  const made = during(events, () => (p = heap.kmalloc(4096)));
  const [first] = made;
  assert.deepEqual(made, [
    ["slab:new", first[1], first[2]],
    ["slab:alloc", p, 4096],
  ]);
  assert.equal(heap.stats().pages.held * PAGE, first[2]);
  assert.ok(first[1] % PAGE === 0 && p >= first[1] && p < first[1] + first[2]);
  assert.deepEqual(
    during(events, () => heap.kfree(p)),
    [["slab:free", p, 4096]],
  );
  heap.detach();
  assert.deepEqual(events, [["slab:discard", first[1], first[2]]]);
});

test("slab:new and slab:discard count the pages of slabs", () => {
  const heap = oneCpu();
  let bytes = 0;
  heap.tracepoints.on("slab:new", (_, more) => (bytes += more));
  heap.tracepoints.on("slab:discard", (_, less) => (bytes -= less));
  const objects = [8, 100, 1000, 8192].flatMap((size) =>
    Array.from({ length: 200 }, () => heap.kmalloc(size)),
  );
  assert.equal(heap.stats().pages.held * PAGE, bytes);
  for (const p of objects) heap.kfree(p);
  assert.equal(heap.stats().pages.held * PAGE, bytes);
  heap.detach();
  assert.equal(heap.stats().pages.held * PAGE, bytes);
});

test("rcu:gp_end gives the number of the period that ends, rcu:gp_start the next one's", async () => {
  const heap = oneCpu();
  const events = record(heap, ["rcu:gp_start", "rcu:gp_end"]);
  const before = heap.stats().rcu.periods;
  for (let i = 0; i < 2; i++) {
    const over = heap.rcu.synchronize();
    settle(heap);
    await over;
  }
  const ended = heap.stats().rcu.periods - before;
  assert.ok(ended >= 2);
  assert.equal(events.length, 2 * ended);
  for (let i = 0; i < events.length; i += 2) {
    assert.deepEqual([events[i][0], events[i + 1][0]], ["rcu:gp_end", "rcu:gp_start"]);
    if (i > 0) assert.equal(events[i][1], events[i - 1][1], "the one that began is the next to end");
  }
});

test("rcu:callbacks gives how many ran, and whose", () => {
  const [a, b] = cpusOf(2);
  const pool = fixed(b);
  const objects = allocMany(pool, SIZE, 500);
  const events = record(a, ["rcu:callbacks"]);
  a.rcu.readLock();
  for (const p of objects) pool.freeRcu(p);
  a.rcu.readUnlock();
  settle(a);
  const ran = events.filter(([, , cpu]) => cpu === b.cpu).reduce((sum, [, count]) => sum + count, 0);
  assert.ok(ran >= Math.floor(500 / 48), `${ran} callbacks`);
  assert.ok(events.every(([, count, cpu]) => count > 0 && (cpu === a.cpu || cpu === b.cpu)));
  a.checkInvariants();
});

test("handlers are told of their own thread's doings only", () => {
  const [a, b] = cpusOf(2);
  const events = record(a);
  const pool = fixed(b);
  freeAll(pool, allocMany(pool, SIZE, 300));
  b.kfree(b.kmalloc(100));
  settle(b);
  assert.deepEqual(events, []);
});

// -- which handlers, and when -----------------------------------------------------------------------

test("all handlers of a name are called, in order, until each is turned off", () => {
  const heap = oneCpu();
  const calls: string[] = [];
  const first = heap.tracepoints.on("slab:free", () => calls.push("first"));
  const same = () => calls.push("same");
  const second = heap.tracepoints.on("slab:free", same);
  heap.tracepoints.on("slab:free", same);
  const step = () => {
    heap.kfree(heap.kmalloc(64));
    return calls.splice(0);
  };
  assert.deepEqual(step(), ["first", "same", "same"]);
  first();
  first();
  assert.deepEqual(step(), ["same", "same"]);
  second();
  assert.deepEqual(step(), ["same"], "a function that was given twice has two lives");
});

test("a handler may turn itself off, and others on", () => {
  const heap = oneCpu();
  const calls: string[] = [];
  const off = heap.tracepoints.on("slab:alloc", () => {
    calls.push("once");
    off();
    heap.tracepoints.on("slab:alloc", () => calls.push("later"));
  });
  heap.kmalloc(64);
  heap.kmalloc(64);
  assert.deepEqual(calls, ["once", "later"]);
});

test("allocators that were opened before and after are traced, and as they were when nobody listens", () => {
  const heap = oneCpu();
  const before = heap.memCache({ name: "before", size: SIZE });
  const events: number[] = [];
  const offs = (["memalloc:alloc", "memalloc:free"] as const).map((name) =>
    heap.tracepoints.on(name, (p) => events.push(p)),
  );
  const after = heap.memAlloc({ name: "after" });
  const pools = [before, after, heap.memCache({ name: "before", size: SIZE })];
  for (const pool of pools) pool.free(pool.alloc(SIZE));
  assert.equal(events.length, 6);
  for (const off of offs) off();
  for (const pool of pools) {
    assert.deepEqual(
      ["alloc", "free", "freeRcu"].filter((name) => Object.hasOwn(pool, name)),
      [],
    );
    pool.freeRcu(pool.alloc(SIZE));
  }
  assert.equal(events.length, 6);
  heap.checkInvariants();
});

test("errors of traced calls are what they are without a handler", () => {
  const heap = oneCpu();
  const any = heap.memAlloc({ name: "any" });
  const pool = fixed(heap);
  record(heap);
  refuses(heap, "bad-size", () => any.alloc(undefined as unknown as number));
  refuses(heap, "bad-size", () => any.alloc(-1));
  refuses(heap, "bad-pointer", () => pool.free(12_345 * 8));
  refuses(heap, "bad-pointer", () => pool.freeRcu("p" as unknown as number));
  assert.equal(any.alloc(0), 16);
});

test("once it is off, a handler is not called through an allocator that is gone either", async () => {
  const heap = oneCpu();
  const pool = fixed(heap);
  const other = heap.memCache({ name: "other", size: SIZE });
  const calls: number[] = [];
  const off = heap.tracepoints.on("memalloc:free", (p) => calls.push(p));
  const gone = pool.destroy();
  settle(heap);
  await gone;
  off();
  refuses(heap, "destroyed", () => pool.free(64));
  heap.tracepoints.on("memalloc:free", (p) => calls.push(p));
  heap.detach();
  assert.throws(() => other.free(64), { code: "detached" });
  assert.deepEqual(calls, []);
});

test("a handler is not called for what it does itself, unless it wants to be", () => {
  const heap = oneCpu();
  const depths: Record<string, number> = { plain: 0, nested: 0 };
  const handler = (kind: "plain" | "nested") => () => {
    if (depths[kind]++ < 3) heap.kfree(heap.kmalloc(64));
  };
  const off = heap.tracepoints.on("slab:free", handler("plain"));
  heap.kfree(heap.kmalloc(64));
  assert.equal(depths.plain, 1);
  off();
  heap.tracepoints.on("slab:free", handler("nested"), { nested: true });
  heap.kfree(heap.kmalloc(64));
  assert.equal(depths.nested, 4);
  heap.checkInvariants();
});

test("a handler is called for what another one does", () => {
  const heap = oneCpu();
  const calls: string[] = [];
  heap.tracepoints.on("slab:free", () => calls.push(heap.kmalloc(128) === 0 ? "null" : "free"));
  heap.tracepoints.on("slab:alloc", (_, unit) => calls.push(`alloc ${unit}`));
  heap.kfree(heap.kmalloc(64));
  assert.deepEqual(calls, ["alloc 64", "alloc 128", "free"]);
});

test("a handler that calls itself without end comes to an end, and breaks nothing", () => {
  const heap = oneCpu({ bytes: 16 * MIB });
  const pool = fixed(heap);
  const held: number[] = [];
  const spare = Array.from({ length: 4000 }, () => heap.kmalloc(16));
  const handler = () => {
    held.push(...SIZES.map((size) => heap.kmalloc(size)));
    heap.kfree(spare.pop() ?? 0);
  };
  const off = heap.tracepoints.on("slab:free", handler, { nested: true });
  for (let round = 0; round < 10; round++) {
    heap.kfree(spare.pop() ?? 0);
    for (const size of SIZES) assert.notEqual(heap.kmalloc(size), 0, `${size} bytes`);
    heap.checkInvariants();
  }
  off();
  provoke(heap, pool);
});

test("on every tracepoint a handler may call itself without end", () => {
  const heap = oneCpu({ bytes: 16 * MIB });
  const pool = fixed(heap);
  const calls = [
    ...SIZES.map((size) => () => heap.kfree(heap.kmalloc(size))),
    () => pool.freeRcu(pool.alloc()),
    () => pool.rawFree(pool.alloc()),
  ];
  for (const name of POINTS) {
    for (const call of calls) {
      const off = heap.tracepoints.on(name, call, { nested: true });
      call();
      off();
      heap.checkInvariants();
    }
  }
  provoke(heap, pool);
});

test("a handler that throws breaks nothing: the error comes later, as an unhandled rejection", () => {
  const child = fileURLToPath(new URL("./throwing-child.js", import.meta.url));
  const output = execFileSync(process.execPath, [child], { encoding: "utf8" });
  const told = POINTS.map((name) => `uncaught: thrown in ${name}\n`).join("");
  assert.equal(output, `end of main\n${told}`);
});

// -- refusals ---------------------------------------------------------------------------------------

test("wrong names and handlers are refused", () => {
  const heap = oneCpu();
  const on = (name: unknown, handler: unknown = () => {}) =>
    heap.tracepoints.on(name as TracepointName, handler as () => void);
  for (const name of ["", "slab", "slab:Alloc", "constructor", "toString", "__proto__", "fire", "refill"])
    refuses(heap, "bad-option", () => on(name), name);
  for (const name of [undefined, null, 5, Symbol("slab:new")]) refuses(heap, "bad-option", () => on(name));
  for (const handler of [null, "f", {}]) refuses(heap, "bad-option", () => on("slab:new", handler));
  provoke(heap, fixed(heap));
});

test("after detach there is nothing to listen to, and turning off does no harm", () => {
  const heap = SharedHeap.create({ bytes: 4 * MIB, maxCpus: 2, turns: false });
  const other = SharedHeap.attach(heap.token, { turns: false });
  const events = record(heap);
  const off = heap.tracepoints.on("slab:new", () => {});
  heap.detach();
  events.length = 0;
  off();
  refuses(other, "detached", () => heap.tracepoints.on("slab:new", () => {}));
  provoke(other, fixed(other));
  assert.deepEqual(events, []);
});
