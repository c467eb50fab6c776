/** Where the tables of a debug heap lie. */
import type { Geometry, Memblock } from "../arena/index.ts";
import {
  QUARANTINE_BYTES,
  QUARANTINE_SHARE,
  RING_WORDS,
  SECTIONS_WORDS,
  SITE_WORDS,
  SITES_MAX,
  SITES_MIN,
  SITES_SHARE,
} from "./layout.ts";

export interface DebugPlace {
  /** The table of call sites, and how many it has room for. */
  readonly sites: number;
  readonly siteCount: number;
  /** The first CPU's quarantine; each has RING_WORDS. Most bytes in one. */
  readonly rings: number;
  readonly quarantineBytes: number;
  /** The first CPU's open read sections; each has SECTIONS_WORDS. */
  readonly sections: number;
}

/** Reserves them; nothing, if the heap is no debug heap. */
export function reserveDebug(geometry: Geometry, memblock: Memblock): DebugPlace | undefined {
  const { bytes, maxCpus } = geometry;
  if (!geometry.debug) return undefined;
  const wanted = Math.floor(bytes / SITES_SHARE / (SITE_WORDS * 4));
  const siteCount = Math.min(Math.max(wanted, SITES_MIN), SITES_MAX);
  return {
    sites: memblock.reserve(siteCount * SITE_WORDS),
    siteCount,
    rings: memblock.reserve(maxCpus * RING_WORDS),
    quarantineBytes: Math.min(QUARANTINE_BYTES, Math.floor(bytes / QUARANTINE_SHARE / maxCpus)),
    sections: memblock.reserve(maxCpus * SECTIONS_WORDS),
  };
}
