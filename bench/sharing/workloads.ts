/** What the CPUs do. One operation of a CPU is never interrupted by another one. */
import type { SharedHeap } from "#src/index.js";
import { Crew, Random } from "./crew.ts";
import type { Transfers } from "./run.ts";

export interface SharingWorkload {
  readonly name: string;
  readonly subject: string;
  /** Runs it on so many CPUs, with so many operations of each. */
  prepare(cpus: number, perCpu: number): Counted;
}

export interface Counted {
  readonly operations: number;
  readonly counts: ReadonlyMap<string, Transfers>;
}

interface Pool {
  alloc(size: number): number;
  free(p: number): void;
  freeRcu(p: number): void;
}

interface Subject {
  readonly name: string;
  open(heap: SharedHeap): Pool;
}

/** Of slots and sizes. */
const SEED = 0x1d872b41;
const SIZE = 64;
const WS_SLOTS = 10_000;
const LARSON_SLOTS = 1000;
/** Replacements of each CPU after which the slots go to the next one. */
const LARSON_TURN = 2000;
/** Objects of a burst: twenty batches. */
const BURST = 960;
/** Objects that are sent to another CPU at once. */
const RING = 64;
/** Operations of a CPU between two polls, where there are any. */
const POLL_EVERY = 1000;

const MEM_ALLOC: Subject = { name: "MemAlloc", open: (heap) => heap.memAlloc({ name: "any" }) };
const MEM_CACHE: Subject = {
  name: "MemCache",
  open: (heap) => heap.memCache({ name: "fixed", size: SIZE }),
};
const IN_GROUP: Subject = {
  name: "MemCache in a group",
  open: (heap) => heap.memCache({ name: "charged", size: SIZE, memcg: heap.memcg({ name: "group" }) }),
};
const KMALLOC: Subject = {
  name: "kmalloc",
  open: (heap) => ({
    alloc: (size) => heap.kmalloc(size),
    free: (p) => heap.kfree(p),
    freeRcu() {},
  }),
};

/** Even from 8 to 1000 bytes. */
const larsonSize = (random: Random) => 8 + random.next(993);

const ONE_SIZE = [MEM_ALLOC, MEM_CACHE, IN_GROUP, KMALLOC];

function pair64({ name, open }: Subject): SharingWorkload {
  return {
    name: "pair64",
    subject: name,
    prepare(cpus, perCpu) {
      const crew = new Crew(cpus, open);
      return crew.measure((cpu) => {
        const pool = crew.as(cpu);
        const p = pool.alloc(SIZE);
        crew.write(p);
        pool.free(p);
      }, perCpu);
    },
  };
}

/** Slots of each CPU, filled by it. */
function filledSlots(crew: Crew<Pool>, count: number, sizeOf: () => number): Float64Array[] {
  return Array.from({ length: crew.count }, (_, cpu) => {
    const pool = crew.as(cpu);
    return Float64Array.from({ length: count }, () => pool.alloc(sizeOf()));
  });
}

function replace(crew: Crew<Pool>, cpu: number, slots: Float64Array, slot: number, size: number): void {
  const pool = crew.as(cpu);
  pool.free(slots[slot]);
  const p = pool.alloc(size);
  crew.write(p);
  slots[slot] = p;
}

/** A workload: `begin` says what an operation on a CPU is. */
function workload<Own>(
  name: string,
  subject: string,
  open: (heap: SharedHeap) => Own,
  begin: (crew: Crew<Own>, cpus: number) => (cpu: number) => void,
): SharingWorkload {
  return {
    name,
    subject,
    prepare(cpus, perCpu) {
      const crew = new Crew(cpus, open);
      return crew.measure(begin(crew, cpus), perCpu);
    },
  };
}

/** One object after another, at random, is replaced; each CPU has its own. */
function replacing(
  name: string,
  { name: subject, open }: Subject,
  slotCount: number,
  sizeOf: (random: Random) => number,
): SharingWorkload {
  return workload(name, subject, open, (crew) => {
    const random = new Random(SEED);
    const slots = filledSlots(crew, slotCount, () => sizeOf(random));
    return (cpu) => replace(crew, cpu, slots[cpu], random.next(slotCount), sizeOf(random));
  });
}

/** Each CPU allocates a burst of objects, frees them in reverse, and begins again. An operation is one alloc or free. */
function bursts({ name, open }: Subject): SharingWorkload {
  return workload("bursts", name, open, (crew, cpus) => {
    const stacks: number[][] = Array.from({ length: cpus }, () => []);
    const isGrowing = new Array<boolean>(cpus).fill(true);
    return (cpu) => {
      const [pool, stack] = [crew.as(cpu), stacks[cpu]];
      if (isGrowing[cpu]) crew.write(stack[stack.push(pool.alloc(SIZE)) - 1]);
      else pool.free(stack.pop() as number);
      if (stack.length === BURST || stack.length === 0) isGrowing[cpu] = stack.length === 0;
    };
  });
}

/** Slots go round, so that a share of all objects is freed by another CPU than the one that allocated them. */
function larson2({ name, open }: Subject, sizeOf: (random: Random) => number): SharingWorkload {
  return workload("larson2", name, open, (crew, cpus) => {
    const random = new Random(SEED);
    const slots = filledSlots(crew, LARSON_SLOTS, () => sizeOf(random));
    let done = 0;
    return (cpu) => {
      if (++done % (LARSON_TURN * cpus) === 0) slots.push(slots.shift() as Float64Array);
      replace(crew, cpu, slots[cpu], random.next(LARSON_SLOTS), sizeOf(random));
    };
  });
}

/** Even CPUs allocate, each for the odd one behind it. An operation is the life of one object. */
function xthread(
  { name, open }: Subject,
  label: string,
  free: (pool: Pool, p: number) => void,
  hasPolls: boolean,
): SharingWorkload {
  return workload(label, name, open, (crew, cpus) => {
    const rings: number[][] = Array.from({ length: cpus }, () => []);
    const done = new Int32Array(cpus);
    return (cpu) => {
      const [from, to] = [cpu & ~1, cpu | 1];
      const ring = rings[from];
      const p = crew.as(from).alloc(SIZE);
      crew.write(p);
      if (ring.push(p) === RING) for (const each of ring.splice(0)) free(crew.as(to), each);
      if (hasPolls && ++done[from] % POLL_EVERY === 0) [from, to].forEach((each) => void crew.poll(each));
    };
  });
}

function freeRcu({ name, open }: Subject): SharingWorkload {
  return workload("free-rcu", name, open, (crew, cpus) => {
    const done = new Int32Array(cpus);
    return (cpu) => {
      const pool = crew.as(cpu);
      const p = pool.alloc(SIZE);
      crew.write(p);
      pool.freeRcu(p);
      if (++done[cpu] % POLL_EVERY === 0) crew.poll(cpu);
    };
  });
}

/** An operation that each CPU does by itself. */
function alone<Own>(
  name: string,
  subject: string,
  open: (heap: SharedHeap) => Own,
  operation: (own: Own) => void,
): SharingWorkload {
  return workload(name, subject, open, (crew) => (cpu) => operation(crew.as(cpu)));
}

/** All threads have one counter: the first one makes it. */
function sharedCounter(heap: SharedHeap) {
  const there = heap.roots.get("counter");
  const counter = heap.percpu.counter(there);
  if (there === 0) heap.roots.set("counter", counter.offset);
  return counter;
}

export const SHARING_WORKLOADS: readonly SharingWorkload[] = [
  ...ONE_SIZE.map(pair64),
  ...ONE_SIZE.map((subject) => replacing("ws10k64", subject, WS_SLOTS, () => SIZE)),
  replacing("larson1", MEM_ALLOC, LARSON_SLOTS, larsonSize),
  ...[MEM_CACHE, IN_GROUP].map(bursts),
  larson2(MEM_ALLOC, larsonSize),
  larson2(MEM_CACHE, () => SIZE),
  ...[MEM_ALLOC, MEM_CACHE].map((subject) => xthread(subject, "xthread", (pool, p) => pool.free(p), false)),
  freeRcu(MEM_CACHE),
  xthread(MEM_CACHE, "xthread-rcu", (pool, p) => pool.freeRcu(p), true),
  alone(
    "rcu-lock",
    "heap.rcu",
    (heap) => heap.rcu,
    (rcu) => {
      rcu.readLock();
      rcu.readUnlock();
    },
  ),
  alone("counter", "PerCpuCounter", sharedCounter, (counter) => counter.add(1)),
];
