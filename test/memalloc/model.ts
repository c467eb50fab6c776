/**
 * A model of the allocator, to run random commands against: it knows which objects are out, and where.
 * Every command checks that objects don't overlap and keep their contents, and that the books balance.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { SharedHeap } from "sharedheap";
import { type Pool, usedObjects } from "./heaps.ts";

export const CPUS = 3;

/** The allocators: one of any size, the others fixed. */
export const POOLS = [
  { name: "any", size: 0 },
  { name: "small", size: 24 },
  { name: "odd", size: 300 },
  { name: "page", size: 4088 },
  { name: "large", size: 8000 },
] as const;

export type Command =
  | {
      readonly kind: "alloc";
      readonly cpu: number;
      readonly pool: number;
      readonly size: number;
      readonly count: number;
    }
  | { readonly kind: "free"; readonly cpu: number; readonly pick: number; readonly count: number }
  | { readonly kind: "nmi"; readonly cpu: number; readonly inside: readonly Command[] }
  | { readonly kind: "attach" | "detach" | "poll"; readonly cpu: number };

const cpu = fc.nat(CPUS - 1);
const pool = fc.nat(POOLS.length - 1);
const size = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 4088 }));

/** Commands with bursts of up to `burst` calls. */
export function commands(burst: number, length: number): fc.Arbitrary<Command[]> {
  const count = fc.integer({ min: 1, max: burst });
  const alloc = fc.record({ kind: fc.constant("alloc" as const), cpu, pool, size, count });
  const free = fc.record({ kind: fc.constant("free" as const), cpu, pick: fc.nat(), count });
  const inside = fc.array(fc.oneof(alloc, free), { maxLength: 4 });
  const nmi = fc.record({ kind: fc.constant("nmi" as const), cpu, inside });
  const other = fc.record({
    kind: fc.constantFrom("attach" as const, "detach" as const, "poll" as const),
    cpu,
  });
  const command: fc.Arbitrary<Command> = fc.oneof(
    { weight: 5, arbitrary: alloc },
    { weight: 5, arbitrary: free },
    { weight: 2, arbitrary: nmi },
    { weight: 2, arbitrary: other },
  );
  return fc.array(command, { minLength: 1, maxLength: length, size: "max" });
}

/** A CPU as the program has it. */
interface Attached {
  readonly heap: SharedHeap;
  readonly pools: readonly (Pool | undefined)[];
}

interface Live {
  readonly p: number;
  readonly bytes: number;
  readonly pool: number;
  readonly stamp: number;
}

export class Model {
  /** Reads only; attached as CPU 0 until a command detaches it. */
  readonly observer: SharedHeap;
  private readonly cpus: (Attached | undefined)[];
  private readonly live: Live[] = [];
  /** 1 for each 8 bytes that belong to an object that is out, its header included. */
  private readonly taken: Uint8Array;
  private readonly mayFail: boolean;
  private readonly afterCall: () => void;
  private stamps = 0;
  private nested = false;
  private liveBytes = 0;

  /** `mayFail`: the heap may be too small for the commands. `everyCall`: check the invariants after each single call. */
  constructor(bytes: number, mayFail: boolean, everyCall: boolean, debug = false) {
    this.observer = SharedHeap.create({ bytes, maxCpus: CPUS, debug });
    this.cpus = [{ heap: this.observer, pools: [] }, undefined, undefined];
    this.taken = new Uint8Array(bytes / 8);
    this.mayFail = mayFail;
    this.afterCall = everyCall ? () => this.check() : () => {};
  }

  run(command: Command): void {
    switch (command.kind) {
      case "alloc":
        for (let i = 0; i < command.count; i++) this.alloc(command.cpu, command.pool, command.size);
        break;
      case "free":
        for (let i = 0; i < command.count && this.live.length > 0; i++)
          this.free(command.cpu, command.pick + i * 7);
        break;
      case "nmi":
        this.nmi(command.cpu, command.inside);
        break;
      case "attach":
        this.attached(command.cpu);
        break;
      case "detach":
        this.detach(command.cpu);
        break;
      case "poll":
        this.attached(command.cpu).heap.poll();
    }
    this.check();
  }

  /** Frees everything, on CPUs in turn, detaches all, and expects nothing to be left. */
  finish(): void {
    for (let tries = 0; this.live.length > 0; tries++) {
      assert.ok(tries < 100_000, `${this.live.length} objects are out that no thread can free`);
      this.free(tries % CPUS, tries * 31);
    }
    this.check();
    for (let i = 0; i < CPUS; i++) this.detach(i);
    this.check();
    assert.equal(usedObjects(this.observer), 0);
    for (const { name, taken, listed } of this.observer.stats().allocators)
      assert.deepEqual([taken, listed], [0, 0], name);
  }

  private attached(index: number): Attached {
    const attached = this.cpus[index] ?? { heap: SharedHeap.attach(this.observer.token), pools: [] };
    this.cpus[index] = attached;
    return attached;
  }

  private detach(index: number): void {
    this.cpus[index]?.heap.detach();
    this.cpus[index] = undefined;
  }

  /** The allocator on that CPU, opened when first used there; undefined if there is no memory for it. */
  private poolOn(index: number, number: number): Pool | undefined {
    const { heap, pools } = this.attached(index);
    const { name, size: bytes } = POOLS[number];
    const opened =
      pools[number] ??
      this.open(() => (bytes === 0 ? heap.memAlloc({ name }) : heap.memCache({ name, size: bytes })));
    (pools as (Pool | undefined)[])[number] = opened;
    return opened;
  }

  private open(make: () => Pool): Pool | undefined {
    if (this.nested) return undefined;
    try {
      return make();
    } catch (error) {
      if (this.mayFail && (error as { code?: string }).code === "out-of-memory") return undefined;
      throw error;
    }
  }

  private alloc(index: number, number: number, bytesWanted: number): void {
    const opened = this.poolOn(index, number);
    if (opened === undefined || (!this.mayFail && this.liveBytes > this.taken.length * 2)) return;
    const bytes = POOLS[number].size || bytesWanted;
    const p = opened.alloc(bytesWanted);
    if (p === 0) {
      assert.ok(this.mayFail || this.nested, `alloc(${bytes}) is NULL with ${this.live.length} objects out`);
    } else {
      this.add({ p, bytes, pool: number, stamp: ++this.stamps });
    }
    this.afterCall();
  }

  private add(object: Live): void {
    const { p, bytes, stamp } = object;
    assert.equal(p % 8, 0);
    const slots = this.taken.subarray(p / 8 - 1, Math.ceil((p + bytes) / 8));
    assert.ok(
      slots.every((slot) => slot === 0),
      `the object at ${p} overlaps another one`,
    );
    slots.fill(1);
    this.observer.u8.fill(stamp & 0xff, p, p + bytes);
    this.live.push(object);
    this.liveBytes += bytes;
  }

  private free(index: number, pick: number): void {
    const at = pick % this.live.length;
    const object = this.live[at];
    const opened = this.poolOn(index, object.pool);
    if (opened === undefined) {
      this.freeAnywhere(object, at);
      return;
    }
    this.remove(object, at);
    opened.free(object.p);
    this.afterCall();
  }

  /** On a CPU that has the allocator open, since this one could not open it. */
  private freeAnywhere(object: Live, at: number): void {
    const opened = this.cpus.find((each) => each?.pools[object.pool])?.pools[object.pool];
    if (opened === undefined) return;
    this.remove(object, at);
    opened.free(object.p);
  }

  private remove(object: Live, at: number): void {
    const { p, bytes, stamp } = object;
    const whole = this.observer.u8.subarray(p, p + bytes).every((byte) => byte === (stamp & 0xff));
    assert.ok(whole, `the object at ${p} was overwritten`);
    this.taken.fill(0, p / 8 - 1, Math.ceil((p + bytes) / 8));
    this.liveBytes -= bytes;
    const last = this.live.pop() as Live;
    if (last !== object) this.live[at] = last;
  }

  private nmi(index: number, inside: readonly Command[]): void {
    const { heap } = this.attached(index);
    heap.context.nmi(() => {
      this.nested = true;
      for (const command of inside) this.runNested({ ...command, cpu: index } as Command);
      this.nested = false;
    });
  }

  private runNested(command: Command): void {
    if (command.kind === "alloc") {
      for (let i = 0; i < command.count; i++) this.alloc(command.cpu, command.pool, command.size);
    } else if (command.kind === "free") {
      for (let i = 0; i < command.count && this.live.length > 0; i++)
        this.free(command.cpu, command.pick + i * 7);
    }
  }

  private check(): void {
    if (this.nested) return;
    this.observer.checkInvariants();
    const out = new Map<string, number>(POOLS.map(({ name }) => [name, 0]));
    for (const { pool: number } of this.live) {
      const { name } = POOLS[number];
      out.set(name, (out.get(name) ?? 0) + 1);
    }
    for (const { name, taken, listed, draining } of this.observer.stats().allocators) {
      // one that could not be had any objects goes away by and by
      assert.equal(taken - listed, draining ? 0 : out.get(name), `objects of "${name}" out`);
    }
  }
}
