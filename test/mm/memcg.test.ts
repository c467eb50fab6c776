/** Charges, stocks and groups by themselves, without allocators. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ref } from "#src/arena/index.js";
import type { Booted } from "#src/boot.js";
import { checkMemcg, type Holdings } from "#src/mm/index.js";
import {
  MEMCG_CURRENT,
  MEMCG_MAX,
  MEMCG_REFS,
  STOCK_BATCH,
  STOCK_LOCK,
  STOCK_UNITS,
} from "#src/mm/layout.js";
import { throwsCode } from "../support/errors.ts";
import { newCpus, newHeap } from "../support/heaps.ts";

const BATCH_BYTES = STOCK_BATCH * 8;

function problems(system: Booted, holdings: ReadonlyMap<number, Holdings>): string[] {
  const found: string[] = [];
  const { memcgs, cpus, areas, chargeStock } = system;
  checkMemcg(memcgs, cpus, areas, chargeStock, holdings, (problem) => found.push(problem));
  return found;
}

/** A group that something holds, as an allocator would. */
function heldGroup({ memcgs }: Booted, name: string, max = Infinity, parent?: Ref): Ref {
  const ref = memcgs.open(name, max, parent);
  memcgs.hold(ref);
  return ref;
}

function stockOf({ arena, cpu, chargeStock }: Booted): number {
  return arena.words[cpu.area + chargeStock + STOCK_UNITS];
}

test("a charge brings a batch, further ones come from it, and what comes back stays, up to two", () => {
  const system = newHeap();
  const group = heldGroup(system, "group");
  const { stock } = system.memcgs;
  const current = () => system.memcgs.counters(group).current;
  assert.ok(stock.charge(group.record, 10));
  assert.equal(current(), BATCH_BYTES + 80);
  assert.ok(stock.charge(group.record, STOCK_BATCH));
  assert.equal(current(), BATCH_BYTES + 80);
  assert.equal(stockOf(system), 0);
  stock.uncharge(group.record, STOCK_BATCH);
  stock.uncharge(group.record, 10);
  assert.equal(stockOf(system), STOCK_BATCH + 10);
  for (let i = 0; i < 5; i++) assert.ok(system.memcgs.stock.charges.charge(group.record, STOCK_BATCH) === 0);
  for (let i = 0; i < 5; i++) stock.uncharge(group.record, STOCK_BATCH);
  assert.ok(stockOf(system) <= 2 * STOCK_BATCH);
  stock.drain();
  assert.equal(current(), 0);
});

test("a charge larger than a batch, and one that fits only without it", () => {
  const system = newHeap();
  const group = heldGroup(system, "group", 8 * 1030);
  const { stock } = system.memcgs;
  assert.ok(stock.charge(group.record, 1030));
  assert.equal(stock.charge(group.record, 1), false);
  assert.equal(system.memcgs.counters(group).maxHits, 1);
  assert.equal(system.memcgs.counters(group).peak, 8 * 1030);
});

test("another group's charge, a refusal and a drain give the stock back", () => {
  const system = newHeap();
  const { stock } = system.memcgs;
  const above = system.memcgs.open("above", 8 * (STOCK_BATCH + 100), undefined);
  const [a, b] = ["a", "b"].map((name) => heldGroup(system, name, Infinity, above)) as [Ref, Ref];
  assert.ok(stock.charge(a.record, 100));
  assert.equal(stockOf(system), STOCK_BATCH);
  assert.ok(stock.charge(b.record, 200), "what a had in stock is enough");
  assert.equal(system.memcgs.counters(a).current, 800);
  assert.equal(stock.charge(a.record, 1000), false);
  assert.equal(stockOf(system), 0);
  assert.deepEqual(
    [a, b, above].map((ref) => system.memcgs.counters(ref).current),
    [800, 1600, 2400],
  );
});

test("nested in the middle of a charge, calls go to the counters, and a drain does nothing", () => {
  const system = newHeap();
  const { stock } = system.memcgs;
  const group = heldGroup(system, "group");
  assert.ok(stock.charge(group.record, 10));
  const lock = system.cpu.area + system.chargeStock + STOCK_LOCK;
  system.arena.words[lock] = 1;
  assert.ok(stock.charge(group.record, 5));
  stock.drain();
  stock.uncharge(group.record, 15);
  system.arena.words[lock] = 0;
  assert.equal(stockOf(system), STOCK_BATCH);
  assert.equal(system.memcgs.counters(group).current, BATCH_BYTES);
});

test("the check sees a charge, a hold and a stock that nobody has", () => {
  const system = newHeap();
  const group = heldGroup(system, "group");
  const holdings = new Map([[group.record, { units: 0, allocators: 1 }]]);
  assert.deepEqual(problems(system, holdings), []);
  const { words } = system.arena;
  for (const [at, expected] of [
    [group.record + MEMCG_CURRENT, /charges differ from holdings/],
    [group.record + MEMCG_REFS, /2 holds, 1 allocators/],
    [system.cpu.area + system.chargeStock + STOCK_UNITS, /stock of 1 units of no group/],
    [system.cpu.area + system.chargeStock + STOCK_LOCK, /in the middle of a change/],
  ] as const) {
    words[at]++;
    assert.match(problems(system, holdings).join(), expected);
    words[at]--;
  }
});

test("a hold of a dropped group is refused and leaves nothing", () => {
  const { memcgs, arena } = newHeap();
  const group = memcgs.open("group", Infinity, undefined);
  const child = memcgs.open("child", Infinity, group);
  memcgs.drop(group);
  throwsCode("destroyed", () => memcgs.hold(group));
  throwsCode("destroyed", () => memcgs.drop(group));
  throwsCode("destroyed", () => memcgs.open("other", 8, group));
  assert.equal(arena.words[group.record + MEMCG_REFS], 1);
  memcgs.drop(child);
  assert.deepEqual(memcgs.list(), []);
});

// -- against a model --------------------------------------------------------------------------------

const GROUPS = 6;

type Command =
  | { readonly kind: "charge"; readonly cpu: number; readonly group: number; readonly units: number }
  | { readonly kind: "uncharge"; readonly cpu: number; readonly pick: number }
  | { readonly kind: "max"; readonly group: number; readonly units: number }
  | { readonly kind: "drain"; readonly cpu: number };

const cpu = fc.nat(1);
const group = fc.nat(GROUPS - 1);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("charge" as const),
      cpu,
      group,
      units: fc.integer({ min: 1, max: 1024 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("uncharge" as const), cpu, pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("max" as const), group, units: fc.nat(8192) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("drain" as const), cpu }) },
);

/** Groups in a tree (the parent of group i is group parents[i - 1], of those before it), and what is held of each. */
class Model {
  private readonly cpus: readonly Booted[];
  private readonly groups: Ref[] = [];
  private readonly parents: number[] = [-1];
  private readonly held: { readonly group: number; readonly units: number }[] = [];

  constructor(parents: readonly number[]) {
    this.cpus = newCpus(2);
    for (const [i, pick] of parents.entries()) this.parents.push(pick % (i + 1));
    for (let i = 0; i < GROUPS; i++)
      this.groups.push(heldGroup(this.cpus[0], `group ${i}`, 8 * 8192, this.groups[this.parents[i]]));
  }

  run(command: Command): void {
    switch (command.kind) {
      case "charge":
        this.charge(command.cpu, command.group, command.units);
        break;
      case "uncharge": {
        const [there] = this.held.splice(command.pick % Math.max(this.held.length, 1), 1);
        if (there !== undefined)
          this.cpus[command.cpu].memcgs.stock.uncharge(this.groups[there.group].record, there.units);
        break;
      }
      case "max":
        this.cpus[0].memcgs.setMax(this.groups[command.group], command.units * 8);
        break;
      case "drain":
        this.cpus[command.cpu].memcgs.stock.drain();
    }
    this.check();
  }

  finish(): void {
    for (let i = 0; this.held.length > 0; i++) this.run({ kind: "uncharge", cpu: i % 2, pick: i });
    for (const cpu of [0, 1]) this.run({ kind: "drain", cpu });
    for (const ref of this.groups) {
      assert.equal(this.cpus[0].memcgs.counters(ref).current, 0);
      this.cpus[0].memcgs.letGo(ref.record);
      this.cpus[1].memcgs.drop(ref);
    }
    assert.deepEqual(this.cpus[0].memcgs.list(), []);
  }

  private charge(cpu: number, group: number, units: number): void {
    const { stock } = this.cpus[cpu].memcgs;
    const before = this.path(group).map((each) => this.word(each, MEMCG_CURRENT));
    if (stock.charge(this.groups[group].record, units)) {
      this.held.push({ group, units });
      this.path(group).forEach((each, i) => {
        const isMore = this.word(each, MEMCG_CURRENT) > before[i];
        assert.ok(!isMore || this.word(each, MEMCG_CURRENT) <= this.word(each, MEMCG_MAX), "above the limit");
      });
    } else {
      assert.equal(stockOf(this.cpus[cpu]), 0, "refused with stock");
      const isFull = this.path(group).some(
        (each) => this.word(each, MEMCG_CURRENT) + units > this.word(each, MEMCG_MAX),
      );
      assert.ok(isFull, "refused although there is room");
    }
  }

  private check(): void {
    const holdings = new Map(
      this.groups.map(({ record }, i) => {
        const units = this.held.reduce((sum, each) => sum + (each.group === i ? each.units : 0), 0);
        return [record, { units, allocators: 1 }];
      }),
    );
    assert.deepEqual(problems(this.cpus[0], holdings), []);
  }

  /** A group and its ancestors. */
  private path(group: number): number[] {
    const path = [];
    for (let at = group; at >= 0; at = this.parents[at]) path.push(at);
    return path;
  }

  private word(group: number, field: number): number {
    return this.cpus[0].arena.words[this.groups[group].record + field];
  }
}

test("trees of groups on two CPUs: charged is what is held and in stock, after each call", () => {
  const parents = fc.array(fc.nat(), { minLength: GROUPS - 1, maxLength: GROUPS - 1 });
  fc.assert(
    fc.property(parents, fc.array(command, { maxLength: 120, size: "max" }), (tree, list) => {
      const model = new Model(tree);
      for (const each of list) model.run(each);
      model.finish();
    }),
    { numRuns: 100 },
  );
});
