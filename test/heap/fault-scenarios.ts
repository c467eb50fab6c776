/** What is done while allocations inside the library fail: each is given a heap of its own, and says how to be rid of what it got. */
import assert from "node:assert/strict";
import { GFP_KERNEL, SharedHeap } from "sharedheap";
import { allocMany, exhaust, freeAll, type Pool, settle } from "../memalloc/heaps.ts";

/** Undoes what a scenario did. Without faults; checks what it may. */
export type Undo = () => void;

export interface Scenario {
  readonly name: string;
  /** What is there before, out of the faults' reach. */
  readonly prepare: (heap: SharedHeap) => (undos: Undo[]) => void;
}

const SIZE = 64;

/** A scenario on one fixed-size allocator. */
function withPool(
  name: string,
  run: (pool: ReturnType<SharedHeap["memCache"]>, heap: SharedHeap, undos: Undo[]) => void,
) {
  return scenario(name, (heap) => {
    const pool = heap.memCache({ name: "pool", size: SIZE });
    return (undos) => run(pool, heap, undos);
  });
}

function scenario(name: string, prepare: Scenario["prepare"]): Scenario {
  return { name, prepare };
}

/** `count` allocations; those that are not NULL are distinct, and freed in the end. */
function allocate(pool: Pool, size: number, count: number, undos: Undo[]): number[] {
  const objects = allocMany(pool, size, count).filter((p) => p !== 0);
  undos.push(() => freeAll(pool, objects));
  assert.equal(new Set(objects).size, objects.length, "no object has two owners");
  return objects;
}

const blocks = (heap: SharedHeap, flags = 0): Pool => ({
  alloc: (size) => heap.kmalloc(size, flags),
  free: (p) => heap.kfree(p),
});

export const SCENARIOS: readonly Scenario[] = [
  scenario("open memAlloc", (heap) => (undos) => {
    const pool = heap.memAlloc({ name: "new" });
    undos.push(() => void pool.destroy());
    for (const size of [8, 100, 4088]) allocate(pool, size, 10, undos);
  }),
  scenario("open memCache", (heap) => (undos) => {
    const pool = heap.memCache({ name: "new", size: 500 });
    undos.push(() => void pool.destroy());
    allocate(pool, 500, 10, undos);
  }),
  scenario("open memCache with a destructor", (heap) => (undos) => {
    heap.destructor("dtor", () => {});
    const pool = heap.memCache({ name: "new", size: 500, dtor: "dtor" });
    undos.push(() => void pool.destroy());
    allocate(pool, 500, 10, undos);
  }),
  scenario("open kmemCache", (heap) => (undos) => {
    const cache = heap.kmemCache({ name: "new", size: 500, ctor: (p) => heap.u8.fill(1, p, p + 500) });
    allocate(cache, 500, 20, undos);
  }),
  scenario("malloc", (heap) => (undos) => {
    const pool: Pool = { alloc: (size) => heap.malloc(size), free: (p) => heap.free(p) };
    for (const size of [0, 1, 100, 4000, 5000, 50_000]) allocate(pool, size, size === 0 ? 1 : 5, undos);
  }),
  scenario("kmalloc", (heap) => (undos) => {
    for (const size of [8, 90, 1000, 8192]) allocate(blocks(heap), size, 40, undos);
  }),
  scenario("kmalloc, large", (heap) => (undos) => {
    for (const size of [8193, 50_000, 200_000]) allocate(blocks(heap), size, 3, undos);
  }),
  scenario("kmallocNolock", (heap) => (undos) => {
    const nolock = {
      alloc: (size: number) => heap.kmallocNolock(size),
      free: (p: number) => heap.kfreeNolock(p),
    };
    for (const size of [8, 90, 1000, 8192]) allocate(nolock, size, 40, undos);
  }),
  withPool("alloc to refill", (pool, _heap, undos) => allocate(pool, SIZE, 200, undos)),
  withPool("alloc in nmi, and after", (pool, heap, undos) => {
    const objects = heap.context.nmi(() => exhaust(pool, SIZE));
    undos.push(() => freeAll(pool, objects));
    allocate(pool, SIZE, 60, undos);
  }),
  withPool("allocFlags(GFP_KERNEL) in nmi", (pool, heap, undos) => {
    const direct: Pool = { alloc: () => pool.allocFlags(GFP_KERNEL), free: (p) => pool.rawFree(p) };
    heap.context.nmi(() => allocate(direct, SIZE, 100, undos));
  }),
  withPool("a storm of freeRcu, with polls", (pool, heap, undos) => {
    for (let round = 0; round < 6; round++) {
      for (const p of allocate(pool, SIZE, 150, [])) pool.freeRcu(p);
      heap.poll();
    }
    undos.push(() => settle(heap));
  }),
  withPool("reserve", (pool, _heap, undos) => {
    const got = pool.reserve(300);
    undos.push(() => pool.reserve(0));
    const objects = allocate(pool, SIZE, got, undos);
    assert.equal(objects.length, got, "what reserve said is there");
  }),
  withPool("destroy", (pool, heap, undos) => {
    const objects = allocate(pool, SIZE, 100, []);
    for (const p of objects) pool.freeRcu(p);
    void pool.destroy();
    undos.push(() => settle(heap));
  }),
  scenario("a second CPU comes, works, and goes", (heap) => {
    heap.memCache({ name: "pool", size: SIZE });
    return (undos) => {
      const other = SharedHeap.attach(heap.token, { turns: false });
      undos.push(() => other.detach());
      const faults = other.faultInject({ every: 3 });
      const pool = other.memCache({ name: "pool", size: SIZE });
      undos.push(() => faults.stop());
      allocate(pool, SIZE, 100, undos);
      heap.poll();
    };
  }),
  scenario("a poll that helps a kthread CPU", (heap) => {
    const helped = SharedHeap.attach(heap.token, { turns: false, irqWork: "kthread" });
    const pool = helped.memCache({ name: "pool", size: SIZE });
    return (undos) => {
      undos.push(() => helped.detach());
      for (let round = 0; round < 4; round++) {
        const objects = helped.context.nmi(() => exhaust(pool, SIZE));
        undos.push(() => freeAll(pool, objects));
        heap.poll();
      }
    };
  }),
  scenario(
    "a second CPU works and dies; it is reaped, audited, and its objects are taken back",
    (heap) => (undos) => {
      const other = SharedHeap.attach(heap.token, { turns: false });
      const owned = other.memCache({ name: "owned", size: SIZE, owned: true });
      const pool = other.memCache({ name: "pool", size: SIZE });
      allocMany(owned, SIZE, 50);
      for (const p of allocMany(pool, SIZE, 150)) if (p !== 0) pool.freeRcu(p);
      const mine = heap.memCache({ name: "owned", size: SIZE, owned: true });
      undos.push(() => void mine.destroy());
      const { cpu, generation } = heap.cpus()[other.cpu];
      undos.push(() => assert.equal(heap.leaks().length, 0));
      undos.push(() => mine.reclaim(cpu, generation));
      assert.ok(heap.reap(cpu, { surelyGone: true, generation }));
      assert.ok(heap.audit().isClean);
    },
  ),
  scenario("per-CPU objects, of slab and of caches", (heap) => (undos) => {
    const cache = heap.memCache({ name: "percpu", size: 24, percpu: true });
    undos.push(() => void cache.destroy());
    allocate(cache, 24, 60, undos);
    allocate(heap.percpu.objects, 100, 60, undos);
    allocate(heap.percpu, 100, 60, undos);
  }),
  scenario("a counter", (heap) => (undos) => {
    const counter = heap.percpu.counter();
    undos.push(() => counter.free());
    counter.add(5);
    assert.equal(counter.read(), 5);
  }),
  scenario("an allocator in a group that is full now and then", (heap) => (undos) => {
    const group = heap.memcg({ name: "group", max: 65_536 });
    undos.push(() => group.drop());
    const pool = heap.memCache({ name: "grouped", size: 500, memcg: group });
    undos.push(() => void pool.destroy());
    allocate(pool, 500, 200, undos);
    allocate(pool, 500, 200, undos);
  }),
  scenario("roots.set", (heap) => () => {
    for (const name of ["a", "b", "c"]) {
      heap.roots.set(name, 8);
      assert.equal(heap.roots.get(name), 8);
    }
  }),
];
