/** Calls whose arguments are wrong. */
import type { Adversary, Attempt } from "./attempt.ts";
import { told } from "./classify.ts";
import { describe, lie, noFunction, noName, noObject, noOption, noSize } from "./lies.ts";
import type { Random } from "./pools.ts";
import type { Handles, World } from "./world.ts";

/** A call that is made with a wrong value for one of its arguments. */
type Call = readonly [name: string, call: (handles: Handles, value: never) => unknown];

const SIZES: readonly Call[] = [
  ["malloc", ({ heap }, size) => heap.malloc(size)],
  ["kmalloc", ({ heap }, size) => heap.kmalloc(size)],
  ["kmallocNolock", ({ heap }, size) => heap.kmallocNolock(size)],
  ["percpu.alloc", ({ heap }, size) => heap.percpu.alloc(size)],
  ["percpu.objects.alloc", ({ heap }, size) => heap.percpu.objects.alloc(size)],
  ["MemAlloc.alloc", ({ any }, size) => any.alloc(size)],
  ["MemAlloc.allocFlags", ({ any }, size) => any.allocFlags(size, 2)],
  ["MemAlloc.reserve", ({ any }, size) => any.reserve(size, 1)],
  ["view(4096, bytes)", ({ heap }, bytes) => heap.view(4096, bytes ?? -1)],
];

const OPTIONS: readonly Call[] = [
  ["kmalloc flags", ({ heap }, flags) => heap.kmalloc(8, flags)],
  ["kmallocNolock flags", ({ heap }, flags) => heap.kmallocNolock(8, flags)],
  ["MemAlloc.allocFlags flags", ({ any }, flags) => any.allocFlags(8, flags)],
  ["MemCache.allocFlags", ({ fixed }, flags) => fixed.allocFlags(flags)],
  ["MemAlloc.reserve objects", ({ any }, objects) => any.reserve(8, objects)],
  ["MemCache.reserve", ({ fixed }, objects) => fixed.reserve(objects)],
  ["memCache size", ({ heap }, size) => heap.memCache({ name: "new", size })],
  ["memCache size, per CPU", ({ heap }, size) => heap.memCache({ name: "new", size, percpu: true })],
  ["memCache memcg", ({ heap }, memcg) => heap.memCache({ name: "new", size: 8, memcg })],
  ["memAlloc memcg", ({ heap }, memcg) => heap.memAlloc({ name: "new", memcg })],
  ["kmemCache size", ({ heap }, size) => heap.kmemCache({ name: "new", size })],
  ["kmemCache align", ({ heap }, align) => heap.kmemCache({ name: "new", size: 8, align })],
  ["memcg max", ({ heap }, max) => heap.memcg({ name: "new", max })],
  ["memcg parent", ({ heap }, parent) => heap.memcg({ name: "new", parent })],
  [
    "group.max =",
    ({ group }, max) => {
      group.max = max;
    },
  ],
  ["perCpuPtr cpu", ({ heap }, cpu) => heap.percpu.perCpuPtr(4096, cpu)],
  ["percpu.counter offset", ({ heap }, offset) => heap.percpu.counter(offset)],
  ["counter.add", ({ counter }, delta) => counter.add(noDelta(delta))],
  ["faultInject site", ({ heap }, site) => heap.faultInject({ site })],
  ["faultInject every", ({ heap }, every) => heap.faultInject({ every })],
  ["faultInject after", ({ heap }, after) => heap.faultInject({ after })],
  ["faultInject times", ({ heap }, times) => heap.faultInject({ times })],
  ["OwnedCache.reserve", ({ owned }, objects) => owned.reserve(objects)],
  ["OwnedCache.allocFlags", ({ owned }, flags) => owned.allocFlags(flags)],
  ["OwnedCache.reclaim cpu", ({ owned }, cpu) => owned.reclaim(cpu, 1)],
  ["OwnedCache.reclaim generation", ({ owned }, generation) => owned.reclaim(3, generation)],
  ["memCache size, owned", ({ heap }, size) => heap.memCache({ name: "new", size, owned: true })],
  ["reap cpu", ({ heap }, cpu) => heap.reap(cpu)],
  ["reap surelyGone", ({ heap }, value) => heap.reap(3, { surelyGone: noBoolean(value) })],
  ["watch", ({ heap }, worker) => heap.watch(worker)],
  ["leaks first", ({ heap }, first) => heap.leaks({ first })],
  ["tracepoints.on name", ({ heap }, name) => heap.tracepoints.on(name, () => {})],
];

function noBoolean(value: unknown): never {
  return (typeof value === "boolean" ? "yes" : value) as never;
}

/** Negative ones are right. */
function noDelta(value: unknown): never {
  return (typeof value === "number" && Number.isSafeInteger(value) ? 0.5 : value) as never;
}

const FUNCTIONS: readonly Call[] = [
  ["tracepoints.on", ({ heap }, fn) => heap.tracepoints.on("slab:new", fn)],
  ["destructor", ({ heap }, fn) => heap.destructor("new", fn)],
  ["rcu.call", ({ heap }, fn) => heap.rcu.call(fn)],
  ["rcu.callHurry", ({ heap }, fn) => heap.rcu.callHurry(fn)],
  ["tasksTrace.call", ({ heap }, fn) => heap.rcu.tasksTrace.call(fn)],
  ["rcu.onStall", ({ heap }, fn) => heap.rcu.onStall(fn)],
  ["onOutOfMemory", ({ heap }, fn) => heap.onOutOfMemory(fn)],
  ["group.onMax", ({ group }, fn) => group.onMax(fn)],
  ["context.softirq", ({ heap }, fn) => heap.context.softirq(fn)],
  ["context.hardirq", ({ heap }, fn) => heap.context.hardirq(fn)],
  ["context.nmi", ({ heap }, fn) => heap.context.nmi(fn)],
  ["kmemCache ctor", ({ heap }, fn) => heap.kmemCache({ name: "new", size: 8, ctor: fn ?? 0 })],
  ["percpu.forEachCpu", ({ heap }, fn) => heap.percpu.forEachCpu(4096, fn)],
];

const OBJECTS: readonly Call[] = [
  ["memAlloc", ({ heap }, options) => heap.memAlloc(options)],
  ["memCache", ({ heap }, options) => heap.memCache(options)],
  ["kmemCache", ({ heap }, options) => heap.kmemCache(options)],
  ["memcg", ({ heap }, options) => heap.memcg(options)],
  ["faultInject", ({ heap }, options) => heap.faultInject(options)],
  ["reap", ({ heap }, options) => heap.reap(3, options)],
  ["leaks", ({ heap }, options) => heap.leaks(options)],
];

const NAMES: readonly Call[] = [
  ["memAlloc", ({ heap }, name) => heap.memAlloc({ name })],
  ["memCache", ({ heap }, name) => heap.memCache({ name, size: 8 })],
  ["memCache dtor", ({ heap }, dtor) => heap.memCache({ name: "new", size: 8, dtor: dtor || "\n" })],
  ["kmemCache", ({ heap }, name) => heap.kmemCache({ name, size: 8 })],
  ["memcg", ({ heap }, name) => heap.memcg({ name })],
  ["destructor", ({ heap }, name) => heap.destructor(name, () => {})],
  ["roots.set", ({ heap }, name) => heap.roots.set(name, 0)],
  ["roots.get", ({ heap }, name) => heap.roots.get(name)],
];

const OFFSETS: readonly Call[] = [
  ["roots.set", ({ heap }, p) => heap.roots.set("root", p)],
  ["view", ({ heap }, p) => heap.view(p)],
  ["rcuAssignPointer slot", ({ heap, library }, slot) => library.rcuAssignPointer(heap, slot, 0)],
  ["rcuAssignPointer", ({ heap, library, counter }, p) => library.rcuAssignPointer(heap, counter.offset, p)],
  ["rcuDereference", ({ heap, library }, slot) => library.rcuDereference(heap, slot)],
];

/** What exists is opened with other options; a group is another heap object's. */
const MISMATCHES: readonly Call[] = [
  ["memCache of an any-size allocator", ({ heap }) => heap.memCache({ name: "any a", size: 8 })],
  ["memAlloc of a fixed-size one", ({ heap }) => heap.memAlloc({ name: "fixed a" })],
  ["memCache of another size", ({ heap }) => heap.memCache({ name: "fixed a", size: 64 })],
  ["memCache of owned objects", ({ heap }) => heap.memCache({ name: "fixed a", size: 56, owned: true })],
  ["memCache of objects that have no owner", ({ heap }) => heap.memCache({ name: "owned", size: 48 })],
  ["memCache of per-CPU objects", ({ heap }) => heap.memCache({ name: "fixed a", size: 56, percpu: true })],
  ["memCache with a destructor", ({ heap }) => heap.memCache({ name: "fixed a", size: 56, dtor: "none" })],
  ["memCache in a group", ({ heap, group }) => heap.memCache({ name: "fixed a", size: 56, memcg: group })],
  ["kmemCache of another size", ({ heap }) => heap.kmemCache({ name: "kmem a", size: 72 })],
  ["kmemCache, typesafe", ({ heap }) => heap.kmemCache({ name: "kmem a", size: 64, typesafeByRcu: true })],
  ["memcg with a parent", ({ heap, group }) => heap.memcg({ name: "group", parent: group })],
];

function adversary(
  name: string,
  code: string,
  calls: readonly Call[],
  value: (random: Random) => unknown,
  weight: number,
): Adversary {
  const attempt = (world: World): Attempt => {
    const [what, call] = calls[world.random(calls.length)];
    const handles = world.handles[world.anyCpu()];
    const wrong = value(world.random) as never;
    return {
      what: `${what}, with ${describe(wrong)}`,
      expected: told(code),
      call: () => call(handles, wrong),
    };
  };
  return { name, attempt, weight };
}

export const CALLS: readonly Adversary[] = [
  adversary("no size", "bad-size", SIZES, noSize, 4),
  adversary("no option", "bad-option", OPTIONS, noOption, 4),
  adversary("no function", "bad-option", FUNCTIONS, noFunction, 2),
  adversary("no options at all", "bad-option", OBJECTS, noObject, 1),
  adversary("no name", "bad-name", NAMES, noName, 2),
  adversary("no offset", "bad-pointer", OFFSETS, lie, 2),
  adversary("other options", "mismatch", MISMATCHES, () => undefined, 2),
];
