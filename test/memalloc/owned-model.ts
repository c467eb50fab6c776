/** A model of owned caches: which thread has which objects, and what a reclaim takes from whom. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type OwnedCache, SharedHeap, SharedHeapError } from "sharedheap";
import { booksOf, settle } from "./heaps.ts";

const CPUS = 4;
/** Two of them share slabs: their units are as long. */
const SIZES = [40, 47, 1000];

export type OwnedCommand =
  | { readonly kind: "alloc"; readonly cpu: number; readonly cache: number; readonly count: number }
  | {
      readonly kind: "free" | "freeRcu" | "rawFree" | "twice";
      readonly cpu: number;
      readonly cache: number;
      readonly pick: number;
    }
  | { readonly kind: "leave" | "die" | "lock" | "poll"; readonly cpu: number }
  | { readonly kind: "reclaim"; readonly cpu: number; readonly cache: number; readonly pick: number };

const cpu = fc.nat({ max: CPUS - 1 });
const cache = fc.nat({ max: SIZES.length - 1 });
const pick = fc.nat({ max: 1000 });

export const ownedCommands: fc.Arbitrary<OwnedCommand[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("alloc" as const), cpu, cache, count: fc.nat(40) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom("free" as const, "freeRcu" as const, "rawFree" as const, "twice" as const),
        cpu,
        cache,
        pick,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("leave" as const, "die" as const, "lock" as const, "poll" as const),
        cpu,
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("reclaim" as const), cpu, cache, pick }) },
  ),
  { maxLength: 60 },
);

interface Thread {
  readonly heap: SharedHeap;
  readonly caches: readonly OwnedCache[];
  readonly generation: number;
  isReading: boolean;
}

interface Owner {
  readonly cpu: number;
  readonly generation: number;
}

/** `cpu.generation`, as keys. */
const keyOf = ({ cpu: number, generation }: Owner): string => `${number}.${generation}`;

export class OwnedModel {
  private readonly main: SharedHeap;
  /** CPU 0 is the thread that stays. */
  private readonly threads: (Thread | undefined)[] = [];
  /** Of each cache: whose each object that is out is. */
  private readonly out = SIZES.map(() => new Map<number, string>());
  private readonly owners: Owner[] = [];

  constructor() {
    this.main = SharedHeap.create({ bytes: 2 ** 20, maxCpus: CPUS, turns: false });
    for (let i = 0; i < CPUS; i++) this.threadOf(i);
  }

  run(command: OwnedCommand): void {
    const thread = this.threadOf(command.cpu);
    if (command.kind === "alloc") this.alloc(thread, command.cache, command.count);
    else if (command.kind === "reclaim") this.reclaim(thread, command.cache, command.pick);
    else if ("pick" in command) this.free(thread, command.kind, command.cache, command.pick);
    else if (command.kind === "lock") this.lock(thread);
    else if (command.kind === "poll") thread.heap.poll();
    else this.end(thread, command.kind);
    this.check();
  }

  finish(): void {
    for (const thread of this.threads) if (thread?.isReading === true) this.lock(thread);
    for (const thread of [...this.threads]) if (thread !== undefined) this.end(thread, "die");
    this.out.forEach((out, i) => {
      for (const owner of this.owners) if (owner.cpu !== 0) this.reclaimFrom(this.threadOf(0), i, owner);
      for (const p of out.keys()) this.threadOf(0).caches[i].free(p);
      out.clear();
    });
    settle(this.main);
    this.check();
    for (const size of SIZES) assert.equal(booksOf(this.main, `of ${size}`).out, 0);
  }

  private threadOf(number: number): Thread {
    const there = this.threads[number];
    if (there !== undefined) return there;
    const heap = number === 0 ? this.main : SharedHeap.attach(this.main.token, { turns: false });
    // of the free CPUs it is the first one, whatever was asked for
    const { generation } = heap.cpus()[heap.cpu];
    const caches = SIZES.map((size) => heap.memCache({ name: `of ${size}`, size, owned: true }));
    const thread = { heap, caches, generation, isReading: false };
    this.threads[heap.cpu] = thread;
    this.owners.push({ cpu: heap.cpu, generation });
    return thread;
  }

  private alloc({ caches, heap, generation }: Thread, index: number, count: number): void {
    const out = this.out[index];
    for (let i = 0; i < count; i++) {
      const p = caches[index].alloc();
      if (p === 0) return;
      assert.ok(!out.has(p), `object ${p} was handed out twice`);
      out.set(p, keyOf({ cpu: heap.cpu, generation }));
      heap.u8.fill(index + 1, p, p + SIZES[index]);
    }
  }

  private free(
    thread: Thread,
    kind: "free" | "freeRcu" | "rawFree" | "twice",
    index: number,
    at: number,
  ): void {
    const out = this.out[index];
    const p = [...out.keys()][at % Math.max(out.size, 1)];
    if (p === undefined) return;
    const bytes = thread.heap.u8.subarray(p, p + SIZES[index]);
    assert.ok(
      bytes.every((byte) => byte === index + 1),
      `object ${p} was overwritten`,
    );
    const cache = thread.caches[index];
    if (kind === "twice") cache.free(p);
    else cache[kind](p);
    out.delete(p);
    if (kind === "twice") assert.throws(() => cache.freeRcu(p), { code: "double-free" });
  }

  private reclaim(thread: Thread, index: number, at: number): void {
    this.reclaimFrom(thread, index, this.owners[at % this.owners.length]);
  }

  private reclaimFrom(thread: Thread, index: number, owner: Owner): void {
    const call = () => thread.caches[index].reclaim(owner.cpu, owner.generation);
    if (this.threads[owner.cpu]?.generation === owner.generation) {
      assert.throws(call, (error) => error instanceof SharedHeapError && error.code === "bad-option");
      return;
    }
    const out = this.out[index];
    const its = [...out].filter(([, key]) => key === keyOf(owner)).map(([p]) => p);
    assert.equal(call(), its.length);
    for (const p of its) out.delete(p);
  }

  private lock(thread: Thread): void {
    if (thread.isReading) thread.heap.rcu.readUnlock();
    else thread.heap.rcu.readLock();
    thread.isReading = !thread.isReading;
  }

  private end(thread: Thread, kind: "leave" | "die"): void {
    const number = thread.heap.cpu;
    if (number === 0) return;
    if (kind === "leave") {
      if (thread.isReading) thread.heap.rcu.readUnlock();
      thread.heap.detach();
    } else {
      assert.equal(this.main.reap(number, { surelyGone: true }), true);
    }
    this.threads[number] = undefined;
  }

  /** What `leaks` says is what the model has. */
  private check(): void {
    assert.deepEqual(this.main.verify(), []);
    const leaks = this.main.leaks({ first: 10_000 });
    this.out.forEach((out, i) => {
      const leak = leaks.find(({ name }) => name === `of ${SIZES[i]}`);
      assert.equal(leak?.objects ?? 0, out.size);
      for (const owner of leak?.owners ?? []) {
        assert.equal(owner.isThere, this.threads[owner.cpu]?.generation === owner.generation);
        for (const p of owner.offsets) assert.equal(out.get(p), keyOf(owner));
        assert.equal(owner.offsets.length, owner.objects);
      }
    });
  }
}
