/**
 * A model of when memory may be used again (P5), to run random commands against. It knows which read sections
 * were open when an object was freed, and checks at each allocation, whoever makes it, that none of those is
 * that the memory was promised to:
 *
 *     freed with freeRcu, used again at all        no RCU section that was open then
 *     freed, used again as another type            no section of either kind that was open then
 *
 * Objects that readers of freeRcu may see keep their contents as long. NULL is returned only if what waits for
 * nobody would not do either (P4).
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { SharedHeap, TraceSection } from "sharedheap";
import { unitSize } from "#src/memalloc/sizes.js";
import { cpusOf, type Pool, usedObjects } from "./heaps.ts";

const CPUS = 3;

/** The types of objects: an any-size allocator (one type for each unit size), and fixed ones. */
const POOLS = [
  { name: "any", size: 0 },
  { name: "small", size: 24 },
  { name: "large", size: 4088 },
] as const;
/** The pool that stands for kmalloc. */
const KMALLOC = POOLS.length;

type Kind = "free" | "freeRcu";

export type RcuCommand =
  | {
      readonly kind: "alloc";
      readonly cpu: number;
      readonly pool: number;
      readonly size: number;
      readonly count: number;
    }
  | {
      readonly kind: Kind;
      readonly cpu: number;
      readonly pick: number;
      readonly count: number;
      readonly nmi: boolean;
    }
  | { readonly kind: "poll" | "lock" | "unlock" | "enter"; readonly cpu: number }
  | { readonly kind: "exit"; readonly pick: number };

const cpu = fc.nat(CPUS - 1);
const pick = fc.nat();

/** Commands with bursts of up to `burst` calls. */
export function rcuCommands(burst: number, length: number): fc.Arbitrary<RcuCommand[]> {
  const count = fc.integer({ min: 1, max: burst });
  const size = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(500, 2000, 4000));
  const alloc = fc.record({ kind: fc.constant("alloc" as const), cpu, pool: fc.nat(KMALLOC), size, count });
  const nmi = fc.boolean();
  const freeKind = fc.constantFrom("freeRcu" as const, "freeRcu" as const, "free" as const);
  const free = fc.record({ kind: freeKind, cpu, pick, count, nmi });
  const other = fc.constantFrom("poll" as const, "lock" as const, "unlock" as const, "enter" as const);
  const section = fc.record({ kind: other, cpu });
  const exit = fc.record({ kind: fc.constant("exit" as const), pick });
  return fc.array(
    fc.oneof(
      { weight: 5, arbitrary: alloc },
      { weight: 5, arbitrary: free },
      { weight: 5, arbitrary: section },
      { weight: 1, arbitrary: exit },
    ),
    { minLength: 1, maxLength: length, size: "max" },
  );
}

interface Live {
  readonly p: number;
  readonly bytes: number;
  readonly pool: number;
  readonly stamp: number;
}

/** Memory that was freed, and the sections that were open then. */
interface Grave extends Live {
  readonly freed: Kind;
  readonly rcu: ReadonlySet<number>;
  readonly trace: ReadonlySet<number>;
}

export class RcuModel {
  private readonly heaps: readonly SharedHeap[];
  private readonly pools: readonly (readonly Pool[])[];
  private live: Live[] = [];
  private graves: Grave[] = [];
  /** The section that each CPU is in, and how deep. */
  private readonly rcu = Array.from({ length: CPUS }, () => ({ id: 0, depth: 0 }));
  private readonly trace: { id: number; section: TraceSection }[] = [];
  private readonly afterCall: () => void;
  private stamps = 0;
  private sections = 0;

  /** `everyCall`: check the invariants after each single call. */
  constructor(bytes: number, traceImpliesRcu: boolean, everyCall: boolean, debug = false) {
    this.heaps = cpusOf(CPUS, { bytes, traceImpliesRcu, percpuBytes: 16_384, debug });
    this.pools = this.heaps.map((heap) => [
      ...POOLS.map(({ name, size }) =>
        size === 0 ? heap.memAlloc({ name }) : heap.memCache({ name, size }),
      ),
      { alloc: (size: number) => heap.kmalloc(size), free: (p: number) => heap.kfree(p) },
    ]);
    this.afterCall = everyCall ? () => this.check() : () => {};
  }

  run(command: RcuCommand): void {
    if (command.kind === "alloc") {
      for (let i = 0; i < command.count; i++) this.alloc(command.cpu, command.pool, command.size);
    } else if (command.kind === "free" || command.kind === "freeRcu") {
      const calls = (): void => this.freeMany(command.kind, command.cpu, command.pick, command.count);
      if (command.nmi) this.heaps[command.cpu].context.nmi(calls);
      else calls();
    } else if (command.kind === "exit") {
      this.exit(command.pick);
    } else {
      this.onCpu(command.kind, command.cpu);
    }
    this.check();
  }

  /** Ends all sections, frees everything, detaches, and expects nothing to be left. */
  finish(): void {
    this.rcu.forEach(({ depth }, i) => {
      for (let left = depth; left > 0; left--) this.onCpu("unlock", i);
    });
    while (this.trace.length > 0) this.exit(0);
    for (let i = 0; this.live.length > 0; i++)
      this.freeMany(i % 2 === 0 ? "free" : "freeRcu", i % CPUS, i, 1);
    for (const heap of this.heaps) for (let i = 0; i < 4; i++) heap.poll();
    this.check();
    for (const heap of this.heaps) heap.detach();
    assert.deepEqual(this.heaps[0].verify(), []);
    assert.equal(usedObjects(this.heaps[0]), 0);
  }

  private onCpu(kind: "poll" | "lock" | "unlock" | "enter", index: number): void {
    const heap = this.heaps[index];
    const section = this.rcu[index];
    if (kind === "poll") heap.poll();
    if (kind === "enter") this.trace.push({ id: ++this.sections, section: heap.rcu.tasksTrace.enter() });
    if (kind === "lock") {
      heap.rcu.readLock();
      if (section.depth++ === 0) section.id = ++this.sections;
    }
    if (kind === "unlock" && section.depth > 0) {
      heap.rcu.readUnlock();
      section.depth--;
    }
  }

  private exit(at: number): void {
    const [ended] = this.trace.splice(at % (this.trace.length || 1), 1);
    ended?.section.exit();
  }

  private alloc(index: number, pool: number, wanted: number): void {
    const bytes = pool === KMALLOC ? wanted : POOLS[pool].size || wanted;
    const p = this.pools[index][pool].alloc(bytes);
    if (p === 0) {
      this.checkNull(index, pool, bytes);
      return;
    }
    const object = { p, bytes, pool, stamp: ++this.stamps };
    for (const other of this.live) assert.ok(!overlaps(object, other), `${p} is handed out twice`);
    const rcu = this.openRcu();
    const trace = this.openTrace();
    this.graves = this.graves.filter((grave) => {
      if (!overlaps(object, grave)) return true;
      this.checkReuse(object, grave, rcu, trace);
      return false;
    });
    this.heaps[0].u8.fill(object.stamp & 0xff, p, p + bytes);
    this.live.push(object);
    this.afterCall();
  }

  /** NULL is final: without readers, nothing that this CPU does later could have brought the memory. */
  private checkNull(index: number, pool: number, bytes: number): void {
    if (this.openRcu().size + this.openTrace().size > 0) return;
    for (let i = 0; i < 8; i++) this.heaps[index].poll();
    assert.equal(this.pools[index][pool].alloc(bytes), 0, "NULL, and then not");
  }

  private checkReuse(object: Live, grave: Grave, rcu: Set<number>, trace: Set<number>): void {
    const what = `${object.p}, freed with ${grave.freed} as ${grave.p}`;
    const isSeen = [...grave.rcu].some((id) => rcu.has(id));
    if (grave.freed === "freeRcu") assert.ok(!isSeen, `${what}: an RCU reader may see it`);
    if (typeOf(object) === typeOf(grave)) return;
    assert.ok(!isSeen, `${what}: another type under an RCU reader`);
    assert.ok(
      ![...grave.trace].some((id) => trace.has(id)),
      `${what}: another type under a tasks-trace reader`,
    );
  }

  private freeMany(kind: Kind, index: number, at: number, count: number): void {
    for (let i = 0; i < count && this.live.length > 0; i++) this.free(kind, index, at + i * 7);
  }

  private free(kind: Kind, index: number, at: number): void {
    const object = this.live[at % this.live.length];
    this.live = this.live.filter((each) => each !== object);
    const pool = this.pools[index][object.pool];
    this.assertWhole(object);
    if (object.pool === KMALLOC) {
      pool.free(object.p);
    } else {
      // the sections are looked at before the call: what begins later is promised nothing
      this.graves.push({ ...object, freed: kind, rcu: this.openRcu(), trace: this.openTrace() });
      if (kind === "freeRcu") (pool as Pool & { freeRcu(p: number): void }).freeRcu(object.p);
      else pool.free(object.p);
    }
    if (this.heaps[index].context.inTask()) this.afterCall();
  }

  private openRcu(): Set<number> {
    return new Set(this.rcu.filter(({ depth }) => depth > 0).map(({ id }) => id));
  }

  private openTrace(): Set<number> {
    return new Set(this.trace.map(({ id }) => id));
  }

  private assertWhole({ p, bytes, stamp }: Live): void {
    const contents = this.heaps[0].u8.subarray(p, p + bytes);
    assert.ok(
      contents.every((byte) => byte === (stamp & 0xff)),
      `the object at ${p} was overwritten`,
    );
  }

  private check(): void {
    this.heaps[0].checkInvariants();
    const rcu = this.openRcu();
    for (const grave of this.graves)
      if (grave.freed === "freeRcu" && [...grave.rcu].some((id) => rcu.has(id))) this.assertWhole(grave);
    for (const { name, taken, listed } of this.heaps[0].stats().allocators)
      assert.equal(taken - listed, this.live.filter(({ pool }) => POOLS[pool]?.name === name).length, name);
  }
}

/** What kind of object it is: memory may go from one to another of the same type soon. */
function typeOf({ pool, bytes }: Live): string {
  return pool === 0 ? `any ${unitSize(bytes)}` : `${pool} ${pool === KMALLOC ? bytes : 0}`;
}

function overlaps(a: Live, b: Live): boolean {
  return startOf(a) < b.p + b.bytes && startOf(b) < a.p + a.bytes;
}

/** Where the object's header is; kmalloc has none. */
function startOf({ p, pool }: Live): number {
  return pool === KMALLOC ? p : p - 8;
}
