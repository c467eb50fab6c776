/** Real threads: what those that are terminated had is taken back, each object once. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type OwnedCache, SharedHeap } from "sharedheap";
import type { Booted } from "#src/boot.js";
import { isUnowned, leakedObjects } from "#src/memalloc/index.js";
import { HEADER_BYTES, OWNED_BYTES } from "#src/memalloc/layout.js";
import { runThreads } from "../support/threads.ts";
import { booksOf, settle } from "./heaps.ts";
import { type OwnedJob, SIZE } from "./owned-worker.ts";

const worker = new URL("./owned-worker.js", import.meta.url);
const timeout = 120_000;
const OBJECTS = 20_000;
const DEATHS = 12;

function newHeap(maxCpus: number): { heap: SharedHeap; cache: OwnedCache } {
  const heap = SharedHeap.create({ bytes: 16 * 2 ** 20, maxCpus, turns: false });
  return { heap, cache: heap.memCache({ name: "owned", size: SIZE, owned: true }) };
}

function start(job: OwnedJob): Worker {
  return new Worker(worker, { workerData: job });
}

/** A thread allocates so many objects, and is terminated. Returns who it was, and which they are. */
async function gone(heap: SharedHeap, count: number): Promise<{ from: [number, number]; objects: number[] }> {
  const giver = start({ kind: "giver", token: heap.token, count });
  const [{ cpu, objects }] = await once(giver, "message");
  const { generation } = heap.cpus()[cpu];
  await giver.terminate();
  assert.equal(heap.reap(cpu, { surelyGone: true, generation }), true);
  return { from: [cpu, generation], objects };
}

function assertAllBack(heap: SharedHeap): void {
  settle(heap);
  assert.deepEqual(heap.verify(), []);
  assert.deepEqual(heap.leaks(), []);
  assert.equal(booksOf(heap, "owned").out, 0);
}

/** All objects that look alive have no owner: threads died with them in hand, at most `most`. */
function assertInHand(heap: SharedHeap, most: number): void {
  const { allocators, kmalloc, pages } = (heap as unknown as { booted: Booted }).booted;
  const live = allocators.list().flatMap((allocator) => leakedObjects(kmalloc, allocator));
  assert.ok(live.every((p) => isUnowned(pages.words, (p - HEADER_BYTES - OWNED_BYTES) >>> 2)));
  assert.ok(live.length <= most, `${live.length} objects in hand`);
}

describe("a thread that was terminated", () => {
  test("all it had comes back", { timeout }, async () => {
    const { heap, cache } = newHeap(2);
    const { from } = await gone(heap, OBJECTS);
    assert.equal(heap.leaks()[0].objects, OBJECTS);
    assert.equal(cache.reclaim(...from), OBJECTS);
    assertAllBack(heap);
    heap.detach();
  });

  test("while two others free what it had, and two reclaim, each object is freed once", {
    timeout,
  }, async () => {
    const { heap } = newHeap(5);
    const { from, objects } = await gone(heap, OBJECTS);
    const token = heap.token;
    const freed = await runThreads<number>(worker, [
      { kind: "free", token, objects },
      { kind: "free", token, objects: objects.toReversed() },
      { kind: "reclaim", token, from },
      { kind: "reclaim", token, from },
    ]);
    assert.equal(
      freed.reduce((sum, each) => sum + each, 0),
      OBJECTS,
      String(freed),
    );
    assertAllBack(heap);
    heap.detach();
  });
});

test("threads die at any moment, while another one goes on", { timeout }, async () => {
  const { heap, cache } = newHeap(4);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const survivor = start({ kind: "survivor", token: heap.token, stop });
  const done = once(survivor, "message");
  let reclaimed = 0;
  for (let death = 0; death < DEATHS; death++) {
    const victim = start({ kind: "victim", token: heap.token, keep: 1000 });
    const [cpu] = await once(victim, "message");
    const { generation } = heap.cpus()[cpu];
    await sleep(5 * death);
    await victim.terminate();
    assert.equal(heap.reap(cpu, { surelyGone: true, generation }), true);
    const owners = heap.leaks({ first: 0 })[0]?.owners ?? [];
    const its = owners.find((owner) => owner.cpu === cpu && owner.generation === generation);
    assert.equal(its?.isThere ?? false, false);
    const count = cache.reclaim(cpu, generation);
    assert.equal(count, its?.objects ?? 0);
    reclaimed += count;
  }
  Atomics.store(stop, 0, 1);
  const [rounds] = await done;
  assert.ok(rounds > 0 && reclaimed > 0);
  settle(heap);
  // what threads had in hand is missing in places: pages, slabs, counts of a batch. Nothing is in two
  const inTwoPlaces = /twice|where no|names an owner|at once|leads to|held by/;
  assert.deepEqual(
    heap.verify().filter((problem) => inTwoPlaces.test(problem)),
    [],
  );
  assert.deepEqual(heap.leaks(), []);
  assertInHand(heap, DEATHS);
  heap.detach();
});
