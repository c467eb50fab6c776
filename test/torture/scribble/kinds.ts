/** The kinds of memory that a heap's contents are made of, each on all of its CPUs. */
import type { MemAlloc, MemCache, OwnedCache, SharedHeap } from "sharedheap";

/** An integer from 0 to `below` - 1. */
export type Random = (below: number) => number;

export interface Kind {
  alloc(cpu: number): number;
  free(cpu: number, p: number): void;
  /** Begins the end of all that there is of this kind. */
  readonly end?: () => void;
}

export function kindsOf(cpus: readonly SharedHeap[], random: Random): readonly Kind[] {
  const [first] = cpus;
  for (const heap of cpus) heap.destructor("dtor", () => {});
  first.memcg({ name: "outer", max: 256 * 1024 });
  const caches = [
    { name: "fixed", size: 48 },
    { name: "dtor", size: 8 + random(500), dtor: "dtor" },
    { name: "percpu", size: 8 + random(100), percpu: true },
    { name: "owned", size: 8 + random(200), owned: true },
  ];
  return [
    anyKind(cpus, random),
    groupedKind(cpus, random),
    ...caches.map((options) =>
      poolKind(
        cpus.map((heap) => heap.memCache(options)),
        random,
        () => 0,
      ),
    ),
    kmemKind(cpus, { name: "plain", size: 40 }),
    kmemKind(cpus, { name: "made", size: 24 + random(200), align: 64, ctor: () => {} }),
    kmemKind(cpus, { name: "typesafe", size: 8 + random(1000), typesafeByRcu: true }),
    kmallocKind(cpus, random),
    mallocKind(cpus, random),
    percpuKind(cpus, random),
    percpuObjectsKind(cpus, random),
    otherKind(cpus, random),
  ];
}

/** Small ones more often. */
function sizeUpTo(max: number, random: Random): number {
  return 1 + random(random(6) === 0 ? max : Math.min(max, 200));
}

function poolKind(
  pools: readonly (MemAlloc | MemCache | OwnedCache)[],
  random: Random,
  size: () => number,
  end?: () => void,
): Kind {
  return {
    alloc: (cpu) => pools[cpu].alloc(size()),
    free: (cpu, p) => {
      const dice = random(8);
      if (dice === 0) pools[cpu].rawFree(p);
      else if (dice < 5) pools[cpu].freeRcu(p);
      else pools[cpu].free(p);
    },
    end: () => {
      void pools[0].destroy();
      end?.();
    },
  };
}

function anyKind(cpus: readonly SharedHeap[], random: Random): Kind {
  const pools = cpus.map((heap) => heap.memAlloc({ name: "any" }));
  return poolKind(pools, random, () => sizeUpTo(4088, random));
}

/** An allocator in a group in a group. */
function groupedKind(cpus: readonly SharedHeap[], random: Random): Kind {
  const [first] = cpus;
  const parent = first.memcg({ name: "outer" });
  const inner = first.memcg({ name: "inner", parent });
  const pools = cpus.map((heap, i) =>
    heap.memAlloc(i === 0 ? { name: "sum", memcg: inner } : { name: "sum" }),
  );
  return poolKind(
    pools,
    random,
    () => sizeUpTo(1000, random),
    () => inner.drop(),
  );
}

function kmemKind(cpus: readonly SharedHeap[], options: Parameters<SharedHeap["kmemCache"]>[0]): Kind {
  const caches = cpus.map((heap) => heap.kmemCache(options));
  return { alloc: (cpu) => caches[cpu].alloc(), free: (cpu, p) => caches[cpu].free(p) };
}

function kmallocKind(cpus: readonly SharedHeap[], random: Random): Kind {
  return {
    alloc: (cpu) => cpus[cpu].kmalloc(sizeUpTo(16_384, random)),
    free: (cpu, p) => cpus[cpu].kfree(p),
  };
}

function mallocKind(cpus: readonly SharedHeap[], random: Random): Kind {
  return {
    alloc: (cpu) => cpus[cpu].malloc(sizeUpTo(6000, random)),
    free: (cpu, p) => cpus[cpu].free(p),
  };
}

function percpuKind(cpus: readonly SharedHeap[], random: Random): Kind {
  return {
    alloc: (cpu) => cpus[cpu].percpu.alloc(sizeUpTo(1000, random)),
    free: (cpu, p) => cpus[cpu].percpu.free(p),
  };
}

function percpuObjectsKind(cpus: readonly SharedHeap[], random: Random): Kind {
  const sizes = [8, 32];
  // while there is memory for the first ones
  for (const { percpu } of cpus) for (const size of sizes) percpu.objects.free(percpu.objects.alloc(size));
  return {
    alloc: (cpu) => cpus[cpu].percpu.objects.alloc(sizes[random(sizes.length)]),
    free: (cpu, p) => cpus[cpu].percpu.objects.free(p),
  };
}

/** Roots; objects whose readers may look at them. */
function otherKind(cpus: readonly SharedHeap[], random: Random): Kind {
  return {
    alloc: (cpu) => {
      const p = cpus[cpu].kmallocNolock(sizeUpTo(500, random));
      cpus[cpu].roots.set(`root ${random(3)}`, p);
      return p;
    },
    free: (cpu, p) => cpus[cpu].kfreeNolock(p),
  };
}
