/**
 * Kinds of allocators, and what an object is charged: reckoned here, from what the documents say, so that a library
 * that errs in its own sums is found out.
 */
import type { MemAlloc, MemCache, Memcg, SharedHeap } from "sharedheap";

/** What all kinds have in common; `bytes` is for those of any size. */
export interface Opened {
  readonly isOpen: boolean;
  alloc(bytes: number): number;
  free(p: number): void;
  freeRcu(p: number): void;
  rawFree(p: number): void;
  destroy(): Promise<{ readonly leaked: readonly number[] }>;
}

/** What others must know to open it. */
export interface Shape {
  readonly kind: "any" | "fixed" | "percpu";
  /** Bytes of an object; of any size: the most. */
  readonly size: number;
  /** Its group is the root, or below it. */
  readonly isUnderRoot: boolean;
}

const KINDS = ["any", "fixed", "percpu"] as const;
const SIZES = {
  any: [4088],
  fixed: [8, 40, 100, 300, 1000, 4000],
  percpu: [8, 60, 500],
} as const;

/** Sizes of slab objects, and of those of per-CPU ones on each CPU. */
const SLAB_SIZES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];
const PERCPU_SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192];
const HEADER_BYTES = 8;

export function randomShape(random: (below: number) => number, isUnderRoot: boolean): Shape {
  const kind = KINDS[random(KINDS.length)];
  const sizes = SIZES[kind];
  return { kind, size: sizes[random(sizes.length)], isUnderRoot };
}

export function encode({ kind, size, isUnderRoot }: Shape): number {
  return (size << 3) | (Number(isUnderRoot) << 2) | KINDS.indexOf(kind);
}

export function decode(shape: number): Shape {
  return { kind: KINDS[shape & 3], size: shape >>> 3, isUnderRoot: (shape & 4) !== 0 };
}

/** Opens an allocator of that shape, or makes it. */
export function open(heap: SharedHeap, name: string, { kind, size }: Shape, memcg?: Memcg): Opened {
  const options = memcg === undefined ? { name } : { name, memcg };
  const pool: MemAlloc | MemCache =
    kind === "any" ? heap.memAlloc(options) : heap.memCache({ ...options, size, percpu: kind === "percpu" });
  return pool;
}

/** Fills this thread's stock. Returns how many there are. */
export function reserve(opened: Opened, { kind }: Shape, objects: number): number {
  if (kind === "any") return (opened as MemAlloc).reserve(100, objects);
  return (opened as MemCache).reserve(objects);
}

/** Bytes of the next object. */
export function sizeOf({ kind, size }: Shape, random: (below: number) => number): number {
  return kind === "any" ? 8 + 4 * random(random(4) === 0 ? 1020 : 60) : size;
}

/** What an object of so many bytes is charged, in a heap with that many possible CPUs. */
export function chargeOf({ kind }: Shape, bytes: number, cpus: number): number {
  const unit = Math.ceil((bytes + HEADER_BYTES) / 8) * 8;
  const sizes = kind === "percpu" ? PERCPU_SIZES : SLAB_SIZES;
  const slots = kind === "percpu" ? cpus : 1;
  return slots * (sizes.find((size) => size >= Math.max(unit, kind === "any" ? 16 : 0)) ?? 0);
}
