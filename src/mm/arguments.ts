/** What callers say: sizes and flags. */
import { SharedHeapError, shown } from "../arena/index.ts";

/** Throws `bad-size` unless `bytes` is an integer from 0 to 2^53. */
export function checkSize(bytes: unknown): void {
  if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= 0) return;
  throw new SharedHeapError("bad-size", `size ${shown(bytes)}: use an integer of 0 or more bytes`);
}

/** Throws `bad-option` unless `flags` is made of those `allowed`, whose `names` the error gives. */
export function checkFlags(flags: unknown, allowed: number, names: string): void {
  if (typeof flags === "number" && flags >>> 0 === flags && (flags & ~allowed) === 0) return;
  throw new SharedHeapError("bad-option", `flags ${shown(flags)}: use 0 or ${names}`);
}
