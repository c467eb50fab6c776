/** The shape of a slab cache: unit, link and slab size. */
import { storeRelease, type Words, writePrivate } from "#primitive";
import { PAGE_BYTES } from "../arena/layout.ts";
import {
  CACHE_ALIGN_BYTES,
  CACHE_FLAGS,
  CACHE_LINK,
  CACHE_OBJECTS,
  CACHE_PAGES,
  CACHE_PERCPU,
  CACHE_SIZE_BYTES,
  CACHE_UNIT_WORDS,
  FLAG_CONSTRUCTOR,
  FLAG_TYPESAFE_BY_RCU,
  MAX_OBJECTS,
  MAX_SLAB_PAGES,
  PERCPU_STRIDE_BYTES,
} from "./layout.ts";

/** What a slab cache is made with. */
export interface CacheShape {
  /** Bytes of an object, 8 to 8192. */
  readonly size: number;
  /** A power of two from 8 to 4096. */
  readonly align: number;
  readonly hasConstructor: boolean;
  /** Pages of its slabs are given back after an RCU grace period. */
  readonly isTypesafe: boolean;
}

/** The smallest slab that leaves at most 1/8 of itself unused is taken. */
const WASTE_SHARE = 8;

/** Fills in a new cache's words. `percpu`: offset of its words in each CPU's area; `flags`: those that the shape does not say. */
export function initCache(words: Words, cache: number, shape: CacheShape, percpu: number, flags = 0): void {
  const payload = Math.ceil(shape.size / 4) * 4;
  const keepsContents = shape.hasConstructor || shape.isTypesafe;
  const unit = roundUp(keepsContents ? payload + 4 : payload, shape.align);
  const pages = slabPages(unit);
  writePrivate(words, cache + CACHE_UNIT_WORDS, unit / 4);
  writePrivate(words, cache + CACHE_OBJECTS, Math.min(Math.floor((pages * PAGE_BYTES) / unit), MAX_OBJECTS));
  writePrivate(words, cache + CACHE_PAGES, pages);
  writePrivate(words, cache + CACHE_PERCPU, percpu);
  writePrivate(words, cache + CACHE_LINK, keepsContents ? payload / 4 : 0);
  writePrivate(words, cache + CACHE_SIZE_BYTES, shape.size);
  writePrivate(words, cache + CACHE_ALIGN_BYTES, shape.align);
  storeRelease(words, cache + CACHE_FLAGS, flagsOf(shape) | flags);
}

/** The same for a cache of per-CPU objects: slots of `unit` bytes, a power of two from 16 to 8192. */
export function initPercpuCache(
  words: Words,
  cache: number,
  unit: number,
  maxCpus: number,
  percpu: number,
  flags: number,
): void {
  writePrivate(words, cache + CACHE_UNIT_WORDS, unit / 4);
  writePrivate(words, cache + CACHE_OBJECTS, PERCPU_STRIDE_BYTES / unit);
  writePrivate(words, cache + CACHE_PAGES, (maxCpus * PERCPU_STRIDE_BYTES) / PAGE_BYTES);
  writePrivate(words, cache + CACHE_PERCPU, percpu);
  writePrivate(words, cache + CACHE_LINK, 0);
  writePrivate(words, cache + CACHE_SIZE_BYTES, unit);
  writePrivate(words, cache + CACHE_ALIGN_BYTES, 8);
  storeRelease(words, cache + CACHE_FLAGS, flags);
}

/** The flags of a cache of that shape. */
export function flagsOf({ hasConstructor, isTypesafe }: CacheShape): number {
  return (hasConstructor ? FLAG_CONSTRUCTOR : 0) | (isTypesafe ? FLAG_TYPESAFE_BY_RCU : 0);
}

function slabPages(unit: number): number {
  for (let pages = Math.ceil(unit / PAGE_BYTES); pages < MAX_SLAB_PAGES; pages++) {
    if (((pages * PAGE_BYTES) % unit) * WASTE_SHARE <= pages * PAGE_BYTES) return pages;
  }
  return MAX_SLAB_PAGES;
}

function roundUp(bytes: number, align: number): number {
  return Math.ceil(bytes / align) * align;
}
