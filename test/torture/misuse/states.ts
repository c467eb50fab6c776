/** Calls at the wrong time: after the end of what they are about, outside of sections, inside of contexts. */
import type { SharedHeap } from "sharedheap";
import type { Adversary, Attempt } from "./attempt.ts";
import { told } from "./classify.ts";
import { describe, lie } from "./lies.ts";
import type { Handles, World } from "./world.ts";

/** A call, and the code of its error. */
type Call = readonly [name: string, call: () => unknown];

function attemptOf(world: World, code: string, calls: readonly Call[], isPlain = false): Attempt {
  const [what, call] = calls[world.random(calls.length)];
  return { what, expected: told(code), call, isPlain };
}

/** A pointer of any kind: what was right once, what is right elsewhere, what never was. */
function anything(world: World, once: number): number {
  const dice = world.random(4);
  if (dice === 0) return lie(world.random) as number;
  const other = world.ledger.pick(world.random, () => true)?.p ?? once;
  return dice === 1 ? other : once;
}

function destroyed(world: World): Attempt {
  const { pools, once } = world.destroyed;
  const pool = pools[world.random(pools.length)];
  const p = anything(world, once) || 8;
  const frees: readonly Call[] = [
    [`free(${describe(p)}) of a destroyed allocator`, () => pool.free(p)],
    ["freeRcu of a destroyed allocator", () => pool.freeRcu(p)],
    ["rawFree of a destroyed allocator", () => pool.rawFree(p)],
  ];
  return attemptOf(world, "destroyed", [
    ...frees,
    ...frees,
    ["alloc of a destroyed allocator", () => pool.alloc(8)],
    ["alloc(0) of a destroyed allocator", () => pool.alloc(0)],
    ["allocFlags of a destroyed allocator", () => pool.allocFlags(8, 2)],
    ["reserve of a destroyed allocator", () => pool.reserve(8, 1)],
    ["destroy of a destroyed allocator", () => pool.destroy()],
  ]);
}

function dropped(world: World): Attempt {
  const { group } = world.destroyed;
  const { heap } = world;
  return attemptOf(world, "destroyed", [
    ["max of a dropped group", () => group.max],
    [
      "max = of a dropped group",
      () => {
        group.max = 1;
      },
    ],
    ["current of a dropped group", () => group.current],
    ["onMax of a dropped group", () => group.onMax(() => {})],
    ["drop of a dropped group", () => group.drop()],
    ["memAlloc in a dropped group", () => heap.memAlloc({ name: "new", memcg: group })],
    ["memCache in a dropped group", () => heap.memCache({ name: "new", size: 8, memcg: group })],
    ["memcg in a dropped group", () => heap.memcg({ name: "new", parent: group })],
  ]);
}

function detached(world: World): Attempt {
  const { gone } = world;
  const p = anything(world, world.handles[0].counter.offset) || 8;
  return attemptOf(world, "detached", [...poolCalls(gone, p), ...poolCalls(gone, p), ...heapCalls(gone, p)]);
}

function poolCalls({ heap, any, fixed, owned, kmem }: Handles, p: number): readonly Call[] {
  return [
    ["any.alloc", () => any.alloc(8)],
    ["any.alloc(0)", () => any.alloc(0)],
    [`any.free(${describe(p)})`, () => any.free(p)],
    ["any.freeRcu", () => any.freeRcu(p)],
    ["any.rawFree", () => any.rawFree(p)],
    ["any.allocFlags", () => any.allocFlags(8, 2)],
    ["any.reserve", () => any.reserve(8, 1)],
    ["any.destroy", () => any.destroy()],
    ["fixed.alloc", () => fixed.alloc()],
    [`fixed.free(${describe(p)})`, () => fixed.free(p)],
    ["fixed.freeRcu", () => fixed.freeRcu(p)],
    ["fixed.rawFree", () => fixed.rawFree(p)],
    ["fixed.allocFlags", () => fixed.allocFlags(2)],
    ["fixed.reserve", () => fixed.reserve(1)],
    ["fixed.destroy", () => fixed.destroy()],
    ["owned.alloc", () => owned.alloc()],
    [`owned.free(${describe(p)})`, () => owned.free(p)],
    ["owned.freeRcu", () => owned.freeRcu(p)],
    ["owned.rawFree", () => owned.rawFree(p)],
    ["owned.allocFlags", () => owned.allocFlags(2)],
    ["owned.reserve", () => owned.reserve(1)],
    ["owned.reclaim", () => owned.reclaim(0, 1)],
    ["owned.destroy", () => owned.destroy()],
    ["kmem.alloc", () => kmem.alloc()],
    [`kmem.free(${describe(p)})`, () => kmem.free(p)],
    ["malloc", () => heap.malloc(8)],
    ["malloc, large", () => heap.malloc(5000)],
    [`heap.free(${describe(p)})`, () => heap.free(p)],
    ["kmalloc", () => heap.kmalloc(8)],
    [`kfree(${describe(p)})`, () => heap.kfree(p)],
    ["kmallocNolock", () => heap.kmallocNolock(8)],
    ["kfreeNolock", () => heap.kfreeNolock(p)],
    ["percpu.alloc", () => heap.percpu.alloc(8)],
    [`percpu.free(${describe(p)})`, () => heap.percpu.free(p)],
    ["percpu.objects.alloc", () => heap.percpu.objects.alloc(8)],
    ["percpu.objects.free", () => heap.percpu.objects.free(p)],
    ["percpu.objects.freeRcu", () => heap.percpu.objects.freeRcu(p)],
  ];
}

function heapCalls({ heap, group, counter }: Handles, p: number): readonly Call[] {
  const { rcu, context } = heap;
  return [
    ["memAlloc", () => heap.memAlloc({ name: "any a" })],
    ["memCache", () => heap.memCache({ name: "fixed a", size: 56 })],
    ["kmemCache", () => heap.kmemCache({ name: "kmem a", size: 64 })],
    ["memcg", () => heap.memcg({ name: "group" })],
    ["destructor", () => heap.destructor("new", () => {})],
    ["faultInject", () => heap.faultInject({})],
    ["tracepoints.on", () => heap.tracepoints.on("slab:new", () => {})],
    ["percpu.counter", () => heap.percpu.counter()],
    ["counter.free", () => counter.free()],
    ["poll", () => heap.poll()],
    ["cpus", () => heap.cpus()],
    ["leaks", () => heap.leaks()],
    ["reap", () => heap.reap(0)],
    ["onOutOfMemory", () => heap.onOutOfMemory(() => {})],
    ["readLock", () => rcu.readLock()],
    ["readUnlock", () => rcu.readUnlock()],
    ["rcu.call", () => rcu.call(() => {})],
    ["rcu.synchronize", () => rcu.synchronize()],
    ["rcu.barrier", () => rcu.barrier()],
    ["rcu.onStall", () => rcu.onStall(() => {})],
    ["tasksTrace.enter", () => rcu.tasksTrace.enter()],
    ["tasksTrace.lock", () => rcu.tasksTrace.lock()],
    [`tasksTrace.unlock(${describe(p)})`, () => rcu.tasksTrace.unlock(p)],
    ["context.nmi", () => context.nmi(() => {})],
    ["group.max", () => group.max],
    ["group.drop", () => group.drop()],
  ];
}

/** A CPU that is in no section. */
function outside(world: World): SharedHeap | undefined {
  const cpu = world.sections.indexOf(0);
  return world.cpus[cpu];
}

function unbalanced(world: World): Attempt | undefined {
  const heap = outside(world);
  if (heap === undefined) return undefined;
  const { rcu } = heap;
  const section = rcu.tasksTrace.enter();
  section.exit();
  const wrong = lie(world.random);
  const attempt = attemptOf(
    world,
    "rcu-unbalanced",
    [
      ["readUnlock outside", () => rcu.readUnlock()],
      ["a section's end, once more", () => section.exit()],
      ["tasksTrace.unlock(0) outside", () => rcu.tasksTrace.unlock(0)],
      ["tasksTrace.unlock(1) outside", () => rcu.tasksTrace.unlock(1)],
      [`tasksTrace.unlock(${describe(wrong)})`, () => rcu.tasksTrace.unlock(wrong as number)],
      ["detach in a section", () => inSection(heap, () => heap.detach())],
      ["detach in a tasks-trace section", () => inTraceSection(heap, () => heap.detach())],
      ["one unlock more than locks", () => inSection(heap, () => {}, 2)],
    ],
    true,
  );
  return { ...attempt, alsoRight: true };
}

/** Leaves the section as often as `unlocks` says; what is left open is closed. */
function inSection(heap: SharedHeap, fn: () => void, unlocks = 1): void {
  heap.rcu.readLock();
  try {
    fn();
  } finally {
    for (let i = 0; i < unlocks; i++) heap.rcu.readUnlock();
  }
}

function inTraceSection(heap: SharedHeap, fn: () => void): void {
  const section = heap.rcu.tasksTrace.enter();
  try {
    fn();
  } finally {
    section.exit();
  }
}

function inContext(world: World): Attempt {
  const handles = world.handles[world.anyCpu()];
  const { heap, any, fixed, owned } = handles;
  const kinds = ["softirq", "hardirq", "nmi"] as const;
  const kind = kinds[world.random(kinds.length)];
  const calls: readonly Call[] = [
    ["detach", () => heap.detach()],
    ["any.destroy", () => any.destroy()],
    ["fixed.destroy", () => fixed.destroy()],
    ["any.reserve", () => any.reserve(8, 1)],
    ["fixed.reserve", () => fixed.reserve(1)],
    ["owned.destroy", () => owned.destroy()],
    ["reap", () => heap.reap(3)],
  ];
  const [what, call] = calls[world.random(calls.length)];
  return {
    what: `${what} in ${kind}`,
    expected: told("bad-context"),
    call: () => heap.context[kind](call),
    isPlain: true,
  };
}

/** Taking back what is a living thread's. */
function stillThere(world: World): Attempt {
  const { owned, heap } = world.handles[world.anyCpu()];
  const { cpu, generation } = world.heap.cpus()[world.anyCpu()];
  return attemptOf(
    world,
    "bad-option",
    [
      [`reclaim(${cpu}, ${generation}), which is there`, () => owned.reclaim(cpu, generation)],
      [`reclaim(${cpu}, ${generation + 1}), which is to come`, () => owned.reclaim(cpu, generation + 1)],
      [`reap(${cpu}), which is there`, () => heap.reap(cpu)],
      ["reap of oneself", () => heap.reap(heap.cpu, { surelyGone: true })],
    ],
    true,
  );
}

function tooDeep(world: World): Attempt {
  const { context } = world.cpus[world.anyCpu()];
  const kinds = ["softirq", "hardirq", "nmi"] as const;
  const kind = kinds[world.random(kinds.length)];
  const deeper = (): void => context[kind](deeper);
  return { what: `${kind} in itself without end`, expected: told("limit"), call: deeper, isPlain: true };
}

export const STATES: readonly Adversary[] = [
  { name: "destroyed allocator", attempt: destroyed, weight: 4 },
  { name: "dropped group", attempt: dropped, weight: 1 },
  { name: "detached thread", attempt: detached, weight: 5 },
  { name: "unbalanced section", attempt: unbalanced, weight: 3 },
  { name: "a thread that is there", attempt: stillThere, weight: 1 },
  { name: "in a context", attempt: inContext, weight: 2 },
  { name: "contexts without end", attempt: tooDeep, weight: 1 },
];
