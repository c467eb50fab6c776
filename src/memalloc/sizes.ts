/** Which bucket serves a size, and how many objects a cache of that unit size keeps. */
import { BUCKETS, CACHE_WORDS, HEADER_BYTES, MAX_PAYLOAD } from "./layout.ts";

/** Unit sizes of the buckets of an any-size allocator, header included. */
export const UNIT_SIZES: readonly number[] = [16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096];

/** (payload + 7) >>> 3 -> index of the smallest bucket that holds payload and header. */
const bucketTable = new Uint8Array((MAX_PAYLOAD + 7) / 8 + 1);
for (let i = 0; i < bucketTable.length; i++) {
  bucketTable[i] = UNIT_SIZES.findIndex((unit) => unit >= i * 8 + HEADER_BYTES);
}

/** The index of the bucket that serves `bytes`, 0 to 4088. */
export function bucketOf(bytes: number): number {
  return bucketTable[(bytes + 7) >>> 3];
}

/** Bytes of the unit that serves a payload of `bytes`; 0 for none, and -1 if `bytes` is above 4088. */
export function unitSize(bytes: number): number {
  if (bytes === 0) return 0;
  return bytes > MAX_PAYLOAD ? -1 : UNIT_SIZES[bucketOf(bytes)];
}

/** The table that alloc uses: (payload + 7) >>> 3 -> address of the cache, of the caches from `first` on. */
export function cacheTable(first: number): Int32Array {
  return Int32Array.from(bucketTable, (bucket) => first + bucket * CACHE_WORDS);
}

/** Words of all caches of an any-size allocator on one CPU. */
export const ALL_CACHES_WORDS = BUCKETS * CACHE_WORDS;

/** How many objects a cache keeps. */
export interface Watermarks {
  /** Refilled below. */
  readonly low: number;
  /** Trimmed above. Two batches, or an object less. */
  readonly high: number;
  /** Objects a refill brings. */
  readonly batch: number;
  /** Objects put on the list when a CPU opens the cache. */
  readonly prefill: number;
}

/**
 * How long a free list gets, a batch at least. With the spare, which is no more than a batch, that is the high watermark, or an
 * object more.
 */
export function fullAt({ high, batch }: Watermarks): number {
  return Math.max(high - batch, batch);
}

/** Of caches of per-CPU objects, which are large, and rarely come and go. */
export const PERCPU_WATERMARKS: Watermarks = { low: 1, high: 3, batch: 1, prefill: 1 };

/**
 * The kernel's numbers: 96 objects of up to 256 bytes, and of larger ones as many as make 24 KiB;
 * on average some 116 KB for all buckets. (One number for every size once made 20 MB on 32 CPUs.)
 */
export function watermarksOf(unitBytes: number): Watermarks {
  if (unitBytes <= 256) return { low: 32, high: 96, batch: 48, prefill: 4 };
  const low = Math.max(Math.trunc(8192 / unitBytes), 1);
  const high = Math.max(Math.trunc(24576 / unitBytes), 3);
  const batch = Math.max(Math.trunc((high - low) / 4) * 3, 1);
  return { low, high, batch, prefill: 1 };
}
