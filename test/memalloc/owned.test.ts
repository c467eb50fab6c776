/** Owned caches: whose objects are whose, what reclaim takes back, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GFP_KERNEL, GFP_ZERO, type OwnedCache, SharedHeap } from "sharedheap";
import { isUnowned } from "#src/memalloc/index.js";
import { OBJECT_CHECK, OBJECT_HOME } from "#src/memalloc/layout.js";
import { allocMany, booksOf, cpusOf, exhaust, oneCpu, refuses, settle, throwsCode } from "./heaps.ts";

/** The address of the object whose payload is at `p`. */
const nodeOfOwned = (p: number): number => (p - 16) / 4;

function open(heap: SharedHeap, name = "sessions", size = 40): OwnedCache {
  return heap.memCache({ name, size, owned: true });
}

/** CPU and generation of a heap's thread. */
function whoIs(heap: SharedHeap): [cpu: number, generation: number] {
  return [heap.cpu, heap.stats().cpus[heap.cpu].generation];
}

function assertSound(heap: SharedHeap): void {
  assert.deepEqual(heap.verify(), []);
}

test("objects have the size they were asked for, aligned to 8, and all of it is theirs", () => {
  const heap = oneCpu({ bytes: 8 * 2 ** 20 });
  for (const size of [1, 8, 9, 40, 48, 49, 240, 1000, 4072, 4080, 8168, 8176]) {
    const cache = heap.memCache({ name: `of ${size}`, size, owned: true });
    assert.equal(cache.size, size);
    const objects = Array.from({ length: 5 }, () => cache.alloc());
    for (const p of objects) {
      assert.ok(p > 0 && p % 8 === 0);
      heap.u8.fill(0xff, p, p + size);
    }
    assert.equal(new Set(objects).size, 5);
    for (const p of objects) cache.free(p);
    assertSound(heap);
  }
  throwsCode("bad-option", () => heap.memCache({ size: 8177, owned: true }));
  throwsCode("bad-option", () => heap.memCache({ size: 0, owned: true }));
  heap.detach();
});

test("what a thread that has gone allocated comes back, once, and nothing else does", () => {
  const [heap, other] = cpusOf(2);
  const [mine, its] = [open(heap), open(other)];
  const who = whoIs(other);
  const kept = allocMany(mine, 0, 50);
  const left = allocMany(its, 0, 70);
  const freed = left.splice(0, 20);
  for (const p of freed.slice(10)) its.free(p);
  for (const p of freed.slice(0, 10)) mine.freeRcu(p);
  other.detach();
  assert.equal(mine.reclaim(...who), 50);
  assert.equal(mine.reclaim(...who), 0);
  for (const p of left) throwsCode("double-free", () => mine.free(p));
  settle(heap);
  assertSound(heap);
  assert.equal(booksOf(heap, "sessions").out, 50);
  assert.deepEqual(
    heap
      .leaks({ first: 50 })
      .map(({ owners }) => owners?.map(({ offsets }) => [...offsets].sort((a, b) => a - b))),
    [[kept.sort((a, b) => a - b)]],
  );
  for (const p of kept) mine.free(p);
  assert.deepEqual(heap.leaks(), []);
  heap.detach();
});

test("a thread that is there is not reclaimed from, nor is one yet to come", () => {
  const [heap, other] = cpusOf(2);
  const [mine, its] = [open(heap), open(other)];
  const p = its.alloc();
  const [cpu, generation] = whoIs(other);
  const message = refuses(heap, "bad-option", () => mine.reclaim(cpu, generation));
  assert.match(
    message,
    /"sessions": reclaim\(1, 1\): that thread has its CPU; once it has surely ended, reap it/,
  );
  refuses(heap, "bad-option", () => mine.reclaim(cpu, generation + 1));
  refuses(heap, "bad-option", () => its.reclaim(...whoIs(heap)));
  refuses(heap, "bad-option", () => mine.reclaim(2, 1));
  refuses(heap, "bad-option", () => mine.reclaim(-1, 1));
  refuses(heap, "bad-option", () => mine.reclaim(cpu, 2 ** 20));
  refuses(heap, "bad-option", () => mine.reclaim(cpu, 0.5));
  other.detach();
  const again = SharedHeap.attach(heap.token, { turns: false });
  const newer = open(again);
  const q = newer.alloc();
  // the same CPU, a later thread: its objects stay
  assert.equal(mine.reclaim(cpu, generation), 1);
  refuses(heap, "double-free", () => mine.free(p));
  assert.deepEqual(
    heap
      .leaks()
      .map(({ objects, owners }) => [objects, owners?.map((owner) => [owner.cpu, owner.generation])]),
    [[1, [[1, 2]]]],
  );
  newer.free(q);
  again.detach();
  heap.detach();
});

test("reclaim leaves the objects of other owned allocators of the same slabs", () => {
  const [heap, other] = cpusOf(2);
  const [mine, mine2] = [open(heap, "a", 40), open(heap, "b", 48)];
  const who = whoIs(other);
  const [its, its2] = [open(other, "a", 40), open(other, "b", 48)];
  for (let i = 0; i < 30; i++) {
    its.alloc();
    its2.alloc();
  }
  other.detach();
  assert.equal(mine.reclaim(...who), 30);
  assert.deepEqual(
    heap.leaks().map(({ name, objects }) => [name, objects]),
    [["b", 30]],
  );
  assert.equal(mine2.reclaim(...who), 30);
  heap.detach();
});

test("a reader goes on seeing what is reclaimed under it", () => {
  const [heap, other, reader] = cpusOf(3);
  const [mine, its] = [open(heap), open(other)];
  const who = whoIs(other);
  const objects = allocMany(its, 0, 200);
  for (const p of objects) heap.u32[p >>> 2] = p;
  other.detach();
  reader.rcu.readLock();
  assert.equal(mine.reclaim(...who), 200);
  const taken = new Set(allocMany(mine, 0, 300));
  assert.ok(objects.every((p) => !taken.has(p) && heap.u32[p >>> 2] === p));
  reader.rcu.readUnlock();
  settle(heap);
  const later = new Set(allocMany(mine, 0, 300));
  assert.ok(objects.some((p) => later.has(p)));
  assertSound(heap);
  reader.detach();
  heap.detach();
});

test("wrong frees are refused and change nothing", () => {
  const [heap, other] = cpusOf(2);
  const cache = open(heap);
  const plain = heap.memCache({ name: "plain", size: 40 });
  const [p, q, r] = [cache.alloc(), plain.alloc(), open(heap, "others").alloc()];
  cache.free(0);
  cache.free(16);
  for (const bad of [
    p + 4,
    p + 8,
    p - 8,
    p + 0.5,
    -8,
    8,
    2 ** 33,
    Number.NaN,
    "8" as never,
    undefined as never,
  ])
    refuses(heap, "bad-pointer", () => cache.free(bad), String(bad));
  refuses(heap, "wrong-cache", () => cache.free(q));
  assert.match(
    refuses(heap, "wrong-cache", () => cache.free(r)),
    /belongs to "others"/,
  );
  assert.match(
    refuses(heap, "wrong-cache", () => plain.free(p)),
    /belongs to "sessions"/,
  );
  refuses(heap, "bad-pointer", () => heap.kfree(p));
  cache.free(p);
  for (const call of ["free", "freeRcu", "rawFree"] as const)
    refuses(heap, "double-free", () => cache[call](p));
  refuses(heap, "double-free", () => plain.free(p));
  other.detach();
  heap.detach();
  throwsCode("detached", () => cache.alloc());
  throwsCode("detached", () => cache.free(p));
  throwsCode("detached", () => cache.reclaim(1, 1));
});

test("opened otherwise than it was made: mismatch; with what does not go together: bad-option", () => {
  const heap = oneCpu();
  open(heap, "owned");
  heap.memCache({ name: "plain", size: 40 });
  assert.match(
    refuses(heap, "mismatch", () => heap.memCache({ name: "owned", size: 40 })),
    /exists with owned objects of 40 bytes, not objects of 40 bytes/,
  );
  refuses(heap, "mismatch", () => open(heap, "plain"));
  refuses(heap, "bad-option", () => heap.memCache({ size: 40, owned: true, percpu: true }));
  const options = { owned: true } as object;
  refuses(heap, "bad-option", () => heap.memAlloc(options));
  heap.detach();
});

test("destroy says what was out, and ends reclaim", async () => {
  const [heap, other] = cpusOf(2);
  const [mine, its] = [open(heap), open(other)];
  const out = [mine.alloc(), its.alloc(), its.alloc()];
  const who = whoIs(other);
  other.detach();
  const destroyed = mine.destroy();
  settle(heap);
  const { leaked } = await destroyed;
  assert.deepEqual(
    [...leaked].sort((a, b) => a - b),
    out.sort((a, b) => a - b),
  );
  throwsCode("destroyed", () => mine.reclaim(...who));
  throwsCode("destroyed", () => mine.free(out[0]));
  // the next of that name has nothing to do with them
  const next = open(heap);
  assert.equal(next.reclaim(...who), 0);
  throwsCode("bad-pointer", () => next.free(out[0]));
  assertSound(heap);
  heap.detach();
});

test("allocFlags, rawFree, reserve", () => {
  const heap = oneCpu();
  const cache = open(heap);
  const p = cache.alloc();
  heap.u8.fill(0xaa, p, p + 40);
  cache.free(p);
  const zeroed = cache.allocFlags(GFP_ZERO);
  assert.equal(zeroed, p);
  assert.ok(heap.u8.subarray(p, p + 40).every((byte) => byte === 0));
  cache.rawFree(zeroed);
  throwsCode("double-free", () => cache.rawFree(zeroed));
  assert.equal(cache.reserve(500), 500);
  heap.context.nmi(() => {
    const objects = Array.from({ length: 500 }, () => cache.alloc());
    assert.ok(objects.every((each) => each !== 0));
    assert.equal(cache.alloc(), 0);
    const more = cache.allocFlags(GFP_KERNEL);
    assert.notEqual(more, 0);
    for (const each of [...objects, more]) cache.free(each);
  });
  assert.deepEqual(heap.leaks(), []);
  assertSound(heap);
  heap.detach();
});

test("a destructor is given the payload, and a group is charged", () => {
  const heap = oneCpu();
  const group = heap.memcg({ name: "group", max: 64 * 1024 });
  const seen: number[] = [];
  heap.destructor("end", (p) => seen.push(p));
  const cache = heap.memCache({ name: "mortals", size: 100, owned: true, dtor: "end", memcg: group });
  const p = cache.alloc();
  assert.ok(group.current > 0);
  cache.rawFree(p);
  assert.deepEqual(seen, [p]);
  while (cache.alloc() !== 0);
  assert.ok(group.current <= group.max && group.failures > 0);
  assertSound(heap);
  heap.detach();
});

test("tracepoints see what the program sees, reclaimed objects too", () => {
  const [heap, other] = cpusOf(2);
  const [mine, its] = [open(heap), open(other)];
  const who = whoIs(other);
  const allocs: number[] = [];
  const frees: number[] = [];
  heap.tracepoints.on("memalloc:alloc", (p) => allocs.push(p));
  heap.tracepoints.on("memalloc:free", (p) => frees.push(p));
  const p = mine.alloc();
  mine.free(p);
  const q = its.alloc();
  other.detach();
  mine.reclaim(...who);
  assert.deepEqual(allocs, [p]);
  assert.deepEqual(frees, [p, q]);
  heap.detach();
});

test("leaks: allocators that have objects out, with owners where there are", () => {
  const [heap, other] = cpusOf(2, { name: "main" });
  const any = heap.memAlloc({ name: "any" });
  const plain = heap.memCache({ name: "plain", size: 24 });
  const cache = open(heap);
  heap.memCache({ name: "empty", size: 24 });
  const its = open(other);
  any.alloc(100);
  any.alloc(10);
  any.free(any.alloc(20));
  plain.alloc();
  plain.freeRcu(plain.alloc());
  cache.alloc();
  const offsets = allocMany(its, 0, 3).sort((a, b) => a - b);
  const before = changesNothingButSections(heap, () => heap.leaks({ first: 2 }));
  assert.deepEqual(
    before.map(({ name, kind, objects, bytes }) => [name, kind, objects, bytes]),
    [
      ["any", "any", 2, 128 + 32],
      ["plain", "fixed", 1, 32],
      ["sessions", "fixed", 4, 4 * 64],
    ],
  );
  const [, , { owners = [] }] = before;
  assert.deepEqual(
    owners.map(({ cpu, generation, name, isThere, objects }) => ({
      cpu,
      generation,
      name,
      isThere,
      objects,
    })),
    [
      { cpu: 0, generation: 1, name: "main", isThere: true, objects: 1 },
      { cpu: 1, generation: 1, name: "", isThere: true, objects: 3 },
    ],
  );
  assert.deepEqual(owners[1].offsets, offsets.slice(0, 2));
  other.detach();
  assert.equal(heap.leaks()[2].owners?.[1].isThere, false);
  throwsCode("bad-option", () => heap.leaks({ first: -1 }));
  heap.detach();
  throwsCode("detached", () => heap.leaks());
});

/** Asserts that a second call of `call` leaves the heap as the first one did, but for the numbers of read sections. */
function changesNothingButSections<T>(heap: SharedHeap, call: () => T): T {
  const before = heap.verify();
  const result = call();
  assert.deepEqual(heap.verify(), before);
  return result;
}

test("an object in hand has a live check word and no owner", () => {
  const heap = oneCpu();
  const cache = open(heap);
  const p = cache.alloc();
  const node = nodeOfOwned(p);
  assert.equal(isUnowned(heap.i32, node), false);
  const [home, check] = [heap.i32[node + OBJECT_HOME], heap.i32[node + OBJECT_CHECK]];
  cache.free(p);
  assert.equal(isUnowned(heap.i32, node), false);
  assert.equal(cache.alloc(), p);
  assert.deepEqual([heap.i32[node + OBJECT_HOME], heap.i32[node + OBJECT_CHECK]], [home, check]);
  heap.i32[node + 2] = 0; // as a thread that dies in the middle of an alloc or a free leaves it
  assert.equal(isUnowned(heap.i32, node), true);
  refuses(heap, "double-free", () => cache.free(p));
  heap.i32[node + OBJECT_CHECK] = 5;
  heap.i32[node + 2] = 1 << 30;
  assert.match(
    heap.verify().join("\n"),
    new RegExp(`the object at word ${node} names an owner, and is free`),
  );
});

test("a pointer kept from before its memory got another use is refused, and nothing of the other use changes", () => {
  const heap = oneCpu();
  const cache = open(heap);
  const objects = allocMany(cache, 0, 500);
  const [stale] = objects;
  const tag = heap.i32[stale / 4 - 1];
  for (const p of objects) cache.free(p);
  cache.reserve(0);
  settle(heap);
  // as another program's data may happen to be
  const blocks = exhaust({ alloc: () => heap.kmalloc(4096), free: () => {} }, 0);
  assert.ok(blocks.some((p) => stale >= p && stale < p + 4096));
  heap.i32[stale / 4 - 1] = tag;
  heap.i32[stale / 4 - 2] = 12345;
  for (const call of ["free", "freeRcu", "rawFree"] as const) {
    assert.match(
      refuses(heap, "bad-pointer", () => cache[call](stale)),
      /no object starts there/,
    );
    assert.equal(heap.i32[stale / 4 - 2], 12345);
  }
});
