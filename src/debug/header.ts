/** The allocators' own headers, which lie in front of our records. */
import { peek, type Words } from "#primitive";
import { CHECK_SIGN, HEADER_BYTES, OBJECT_CHECK, OBJECT_HOME } from "../memalloc/layout.ts";

/**
 * The key that the header at `start` was written with, if the object is out: that of no allocator, if the header is
 * damaged. 0: it is not out.
 */
export function keyInHeader(words: Words, start: number): number {
  const home = peek(words, (start >>> 2) + OBJECT_HOME);
  const check = peek(words, (start >>> 2) + OBJECT_CHECK);
  // the sign is set in keys and in check words, whatever the other two have
  return check >= 0 ? 0 : (check ^ home ^ (start + HEADER_BYTES)) | CHECK_SIGN;
}
