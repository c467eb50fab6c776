/** Zones: memory that is filled with a byte, and looked at later. Offsets are in bytes, words little-endian. */
import { peek, readPrivate, type Words, writePrivate } from "#primitive";
import { ZONE_BYTE, ZONE_BYTES, ZONE_MAX_BYTES } from "./layout.ts";

/** Bytes that are shown of a place that was overwritten. */
const SHOWN_BYTES = 8;

/** The first byte behind the zone that begins at `from`, in memory that ends at `end`. */
export function zoneEnd(from: number, end: number): number {
  return Math.min(from + ZONE_MAX_BYTES, end);
}

/** Makes the zones in front of the program's part, `from` to `to`, and behind it. */
export function closeZones(words: Words, from: number, to: number, end: number): void {
  fillBytes(words, from - ZONE_BYTES, from, ZONE_BYTE);
  fillBytes(words, to, zoneEnd(to, end), ZONE_BYTE);
}

/** Fills the bytes from `from` up to `to`, which this CPU owns. */
export function fillBytes(words: Words, from: number, to: number, byte: number): void {
  const all = wordOf(byte);
  for (let at = from - (from & 3); at < to; at += 4) {
    const mask = maskOf(at, from, to);
    const rest = mask === -1 ? 0 : readPrivate(words, at >>> 2) & ~mask;
    writePrivate(words, at >>> 2, rest | (all & mask));
  }
}

/** The first byte from `from` up to `to` that is not `byte`, or -1. Reads memory that others may be writing to. */
export function firstOther(words: Words, from: number, to: number, byte: number): number {
  const all = wordOf(byte);
  for (let at = from - (from & 3); at < to; at += 4) {
    const other = (peek(words, at >>> 2) ^ all) & maskOf(at, from, to);
    // the lowest byte that differs
    if (other !== 0) return at + ((31 - Math.clz32(other & -other)) >> 3);
  }
  return -1;
}

/** What is at `from`, up to `to` and not too much of it: "00 ff 3c". */
export function bytesAt(words: Words, from: number, to: number): string {
  const count = Math.min(to - from, SHOWN_BYTES);
  return Array.from({ length: count }, (_, i) => hex(byteAt(words, from + i))).join(" ");
}

/** As bytesAt, of what should be there. */
export function bytesOf(byte: number, count: number): string {
  return Array.from({ length: Math.min(count, SHOWN_BYTES) }, () => hex(byte)).join(" ");
}

function byteAt(words: Words, at: number): number {
  return (peek(words, at >>> 2) >>> ((at & 3) * 8)) & 0xff;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function wordOf(byte: number): number {
  return Math.imul(byte, 0x01010101);
}

/** The bits of the word at `at` that lie from `from` up to `to`. */
function maskOf(at: number, from: number, to: number): number {
  const low = from > at ? -1 << ((from - at) * 8) : -1;
  return to < at + 4 ? low & ~(-1 << ((to - at) * 8)) : low;
}
