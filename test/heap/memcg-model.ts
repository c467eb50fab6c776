/**
 * A model of groups and their allocators: random commands on two CPUs. After each call every invariant holds; each
 * group's charge is what its allocators hold, by the statistics, and stock; and groups are there just as long as they
 * must be.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type GroupStats, type MemCache, type Memcg, SharedHeap } from "sharedheap";
import { AROUND_BYTES } from "#src/debug/layout.js";

const CPUS = 2;
const SLOTS = 4;
const KIB = 1024;
/** Most that a CPU has in stock. */
const STOCK = 8 * KIB;

export type Command =
  | {
      readonly kind: "alloc" | "free" | "freeRcu";
      readonly cpu: number;
      readonly pool: number;
      readonly count: number;
    }
  | {
      readonly kind: "group";
      readonly cpu: number;
      readonly group: number;
      readonly parent: number;
      readonly max: number;
    }
  | {
      readonly kind: "open";
      readonly cpu: number;
      readonly pool: number;
      readonly group: number;
      readonly size: number;
    }
  | { readonly kind: "max"; readonly group: number; readonly max: number }
  | { readonly kind: "drop"; readonly group: number }
  | { readonly kind: "destroy"; readonly pool: number }
  | { readonly kind: "poll" | "detach"; readonly cpu: number };

const cpu = fc.nat(CPUS - 1);
const group = fc.nat(SLOTS - 1);
const pool = fc.nat(SLOTS - 1);
const max = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 256 * KIB }));

export const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constantFrom("alloc" as const, "alloc" as const, "free" as const, "freeRcu" as const),
        cpu,
        pool,
        count: fc.integer({ min: 1, max: 60 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("group" as const), cpu, group, parent: fc.nat(SLOTS), max }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("open" as const),
        cpu,
        pool,
        group,
        size: fc.constantFrom(24, 300, 1000, 4000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("max" as const), group, max }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("drop" as const), group }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("destroy" as const), pool }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom("poll" as const, "poll" as const, "detach" as const),
        cpu,
      }),
    },
  ),
  { minLength: 1, maxLength: 60, size: "max" },
);

/** A group that was not dropped. */
interface Group {
  readonly name: string;
  readonly memcg: Memcg;
}

/** An allocator that was not destroyed, its objects, and where it is open. */
interface Pool {
  readonly name: string;
  readonly size: number;
  readonly on: (MemCache | undefined)[];
  readonly out: number[];
}

export class Model {
  private readonly heaps: SharedHeap[];
  private readonly groups: (Group | undefined)[] = [];
  private readonly pools: (Pool | undefined)[] = [];
  private readonly around: number;
  private names = 0;
  /** An allocator was destroyed with objects out. */
  private hasLost = false;

  constructor(debug = false) {
    this.around = debug ? AROUND_BYTES : 0;
    const first = SharedHeap.create({ bytes: 2 * 2 ** 20, maxCpus: CPUS, turns: false, debug });
    this.heaps = [first, SharedHeap.attach(first.token, { turns: false })];
  }

  run(command: Command): void {
    switch (command.kind) {
      case "group":
        this.makeGroup(command.cpu, command.group, command.parent, command.max);
        break;
      case "open":
        this.makePool(command.cpu, command.pool, command.group, command.size);
        break;
      case "max": {
        const there = this.groups[command.group];
        if (there !== undefined) there.memcg.max = command.max;
        break;
      }
      case "drop":
        this.groups[command.group]?.memcg.drop();
        this.groups[command.group] = undefined;
        break;
      case "destroy":
        this.destroy(command.pool);
        break;
      case "poll":
        this.heaps[command.cpu].poll();
        break;
      case "detach":
        this.reattach(command.cpu);
        break;
      default:
        for (let i = 0; i < command.count; i++) this.use(command.kind, command.cpu, command.pool, i * 7);
    }
    this.check();
  }

  /** Ends everything: nothing is left, but what was never freed. */
  finish(): void {
    for (let i = 0; i < SLOTS; i++) {
      const there = this.pools[i];
      while (there !== undefined && there.out.length > 0) this.use("free", i % CPUS, i, i);
      this.destroy(i);
      this.run({ kind: "drop", group: i });
    }
    for (let i = 0; i < 20; i++) for (const heap of this.heaps) heap.poll();
    this.check();
    assert.deepEqual(this.heaps[0].stats().groups, []);
  }

  private makeGroup(cpu: number, slot: number, parent: number, max: number): void {
    if (this.groups[slot] !== undefined) return;
    const above = this.groups[parent];
    const name = `group ${this.names++}`;
    const heap = this.heaps[cpu];
    this.groups[slot] = {
      name,
      memcg: heap.memcg({ name, max, ...(above && { parent: heap.memcg({ name: above.name }) }) }),
    };
  }

  private makePool(cpu: number, slot: number, groupSlot: number, size: number): void {
    const there = this.groups[groupSlot];
    if (this.pools[slot] !== undefined || there === undefined) return;
    const heap = this.heaps[cpu];
    const name = `pool ${this.names++}`;
    try {
      const memcg = heap.memcg({ name: there.name });
      const on: (MemCache | undefined)[] = [];
      on[cpu] = heap.memCache({ name, size, memcg });
      this.pools[slot] = { name, size, on, out: [] };
    } catch (error) {
      assert.equal((error as { code?: string }).code, "out-of-memory");
    }
  }

  private use(kind: "alloc" | "free" | "freeRcu", cpu: number, slot: number, pick: number): void {
    const there = this.pools[slot];
    if (there === undefined) return;
    const { name, size, out } = there;
    there.on[cpu] ??= this.heaps[cpu].memCache({ name, size });
    const opened = there.on[cpu];
    if (kind === "alloc") {
      const p = opened.alloc();
      if (p !== 0) out.push(p);
    } else if (out.length > 0) opened[kind](out.splice(pick % out.length, 1)[0]);
  }

  private destroy(slot: number): void {
    const there = this.pools[slot];
    if (there !== undefined && there.out.length > 0) this.hasLost = true;
    void there?.on.find((each) => each !== undefined)?.destroy();
    if (there?.on.every((each) => each === undefined)) {
      void this.heaps[0].memCache({ name: there.name, size: there.size }).destroy();
    }
    this.pools[slot] = undefined;
  }

  /** The thread goes, and another one takes its place: it opens again what it needs. */
  private reattach(cpu: number): void {
    this.heaps[cpu].detach();
    for (const pool of this.pools) if (pool !== undefined) pool.on[cpu] = undefined;
    this.heaps[cpu] = SharedHeap.attach(this.heaps[1 - cpu].token, { turns: false });
    this.groups.forEach((there, i) => {
      if (there === undefined) return;
      this.groups[i] = { name: there.name, memcg: this.heaps[cpu].memcg({ name: there.name }) };
    });
  }

  private check(): void {
    const [heap] = this.heaps;
    heap.checkInvariants();
    const { groups, allocators } = heap.stats();
    const held = new Map(
      allocators.map(({ name, taken }) => [
        name,
        taken * slabBytes(this.pools.find((each) => each?.name === name)?.size ?? 0, this.around),
      ]),
    );
    const live = new Set(this.groups.flatMap((each) => each?.name ?? []));
    const seen = groups.flatMap((each) => this.checkGroup(each, held));
    for (const name of live) assert.ok(seen.includes(name), `${name} is gone`);
  }

  /** Checks a group and those below it. Returns the names of those that were not dropped. */
  private checkGroup(group: GroupStats, held: ReadonlyMap<string, number>): string[] {
    const own = group.allocators.reduce((sum, name) => sum + (held.get(name) ?? 0), 0);
    const below = group.children.reduce((sum, { current }) => sum + current, 0);
    const isKnown = group.allocators.every((name) => this.pools.some((each) => each?.name === name));
    const stock = group.current - below - own;
    assert.ok(stock >= 0, `${group.name} is charged with less than it holds`);
    // what was never freed, and what allocators hold that are going away, is not known here
    if (isKnown && !this.hasLost) assert.ok(stock <= CPUS * STOCK, `${group.name}: ${stock} bytes too many`);
    assert.ok(group.peak >= group.current);
    const names = group.children.flatMap((each) => this.checkGroup(each, held));
    return group.dropped ? names : [...names, group.name];
  }
}

/** What slab holds for an object of so many bytes, header and `around` included. */
function slabBytes(size: number, around: number): number {
  const units = [32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096];
  return units.find((unit) => size > 0 && unit >= size + 8 + around) ?? 0;
}
