/**
 * Fills an object with a pattern that only it has, and checks it later: any byte that someone else wrote shows.
 * Word i of object id holds mix(id) + i x STEP; the bytes of a last, partial word are the low ones of its word.
 * These loops are most of a replay's run time: whole words, no branch inside.
 */

/** Odd, so that no two words of an object below 16 GiB are the same. */
const STEP = 0x9e3779b1 | 0;

/** Spreads ids over all 32 bits, so that a neighbour's stamp is nowhere a continuation of one's own. */
function mix(id: number): number {
  let x = (id + 1) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

/** The memory of a heap, as words and as bytes. */
export interface Memory {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

/** Fills the `size` bytes from `offset` (a multiple of 4) with the stamp of `id`. */
export function writeStamp(memory: Memory, offset: number, size: number, id: number): void {
  const { i32, u8 } = memory;
  const end = (offset >>> 2) + (size >>> 2);
  let word = mix(id);
  for (let i = offset >>> 2; i < end; i++) {
    i32[i] = word;
    word = (word + STEP) | 0;
  }
  for (let i = offset + (size & ~3); i < offset + size; i++) {
    u8[i] = word;
    word >>>= 8;
  }
}

/** Whether those bytes are still as `writeStamp` left them. */
export function hasStamp(memory: Memory, offset: number, size: number, id: number): boolean {
  const { i32, u8 } = memory;
  const end = (offset >>> 2) + (size >>> 2);
  let word = mix(id);
  let difference = 0;
  for (let i = offset >>> 2; i < end; i++) {
    difference |= i32[i] ^ word;
    word = (word + STEP) | 0;
  }
  for (let i = offset + (size & ~3); i < offset + size; i++) {
    difference |= u8[i] ^ (word & 0xff);
    word >>>= 8;
  }
  return difference === 0;
}
