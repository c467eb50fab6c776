/** Names in the heap: 1 to 28 printable ASCII characters, packed four to a word behind their length. */
import { loadAcquire, storeRelease, type Words } from "#primitive";
import { SharedHeapError } from "./errors.ts";
import { NAME_MAX_CHARS, NAME_WORDS } from "./layout.ts";

/** Throws `bad-name` unless `name` can be stored; returns it. */
export function checkName(name: unknown): string {
  if (typeof name === "string" && name.length >= 1 && name.length <= NAME_MAX_CHARS && printable(name)) {
    return name;
  }
  const shown = typeof name === "string" ? JSON.stringify(name) : `of type ${typeof name}`;
  throw new SharedHeapError(
    "bad-name",
    `name ${shown}: use 1 to ${NAME_MAX_CHARS} printable ASCII characters`,
  );
}

function printable(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/**
 * Stores a checked name (or "") at `at`. Word by word atomic, since the name of a CPU may be read
 * by others while it is written: such a reader may see a mixture, never a race.
 */
export function writeName(words: Words, at: number, name: string): void {
  storeRelease(words, at, name.length);
  for (let i = 1; i < NAME_WORDS; i++) storeRelease(words, at + i, packedWord(name, i));
}

function packedWord(name: string, index: number): number {
  let word = 0;
  for (let byte = 3; byte >= 0; byte--) {
    const at = (index - 1) * 4 + byte;
    word = (word << 8) | (at < name.length ? name.charCodeAt(at) : 0);
  }
  return word;
}

/** The name stored at `at`. Never reads beyond a name's words, whatever they hold. */
export function readName(words: Words, at: number): string {
  const length = Math.min(loadAcquire(words, at) >>> 0, NAME_MAX_CHARS);
  let name = "";
  for (let i = 0; i < length; i++) {
    const word = loadAcquire(words, at + 1 + (i >> 2));
    name += String.fromCharCode((word >>> ((i & 3) * 8)) & 0xff);
  }
  return name;
}

/** True if the name stored at `at` is `name`. */
export function nameIs(words: Words, at: number, name: string): boolean {
  if (loadAcquire(words, at) !== name.length) return false;
  for (let i = 1; i < NAME_WORDS; i++) {
    if (loadAcquire(words, at + i) !== packedWord(name, i)) return false;
  }
  return true;
}
