/**
 * The table of call sites: texts that all threads see, each stored once, by number. Open addressing by the text's hash; an
 * entry is claimed by one CAS, written, and never changes from then on. Who finds one being written looks further: the
 * worst that comes of it is a text that is there twice.
 *
 * Progress: wait-free, SITE_TRIES entries at most. Any context.
 */
import { cmpxchg, loadAcquire, storeRelease, type Words } from "#primitive";
import { callSite } from "./call-site.ts";
import {
  SITE_BUSY,
  SITE_HASH,
  SITE_LENGTH,
  SITE_MAX_CHARS,
  SITE_TEXT,
  SITE_TRIES,
  SITE_WORDS,
} from "./layout.ts";

/** Stands for what is no byte. */
const QUESTION_MARK = 0x3f;

export class Sites {
  private readonly words: Words;
  private readonly table: number;
  private readonly capacity: number;

  /** `table`: `capacity` entries, zero when the heap is new. */
  constructor(words: Words, table: number, capacity: number) {
    this.words = words;
    this.table = table;
    this.capacity = capacity;
  }

  /** The number of the program's call that is under way; 0: not known, or no room for it. */
  here(): number {
    return this.numberOf(callSite());
  }

  /** The number of a text, which is stored if it is new; 0: it is empty, or there is no room. */
  numberOf(place: string): number {
    // the end is what tells places apart
    const text = place.length > SITE_MAX_CHARS ? `...${place.slice(3 - SITE_MAX_CHARS)}` : place;
    if (text === "") return 0;
    const hash = hashOf(text);
    const tries = Math.min(SITE_TRIES, this.capacity);
    for (let i = 0; i < tries; i++) {
      const index = ((hash >>> 0) + i) % this.capacity;
      if (this.isAt(index, text, hash)) return index + 1;
    }
    return 0;
  }

  /** The text of a number, whatever that is. */
  text(site: number): string {
    if (site <= 0 || site > this.capacity) return "an unknown place";
    const at = this.addressOf(site - 1);
    const length = Math.min(loadAcquire(this.words, at + SITE_LENGTH) >>> 0, SITE_MAX_CHARS);
    return Array.from({ length }, (_, i) => this.charAt(at, i)).join("");
  }

  /** How many there are. */
  get count(): number {
    let count = 0;
    for (let i = 0; i < this.capacity; i++)
      if (loadAcquire(this.words, this.addressOf(i) + SITE_HASH) !== 0) count++;
    return count;
  }

  /** True if the text is in that entry, or was put there now. */
  private isAt(index: number, text: string, hash: number): boolean {
    const at = this.addressOf(index);
    // pairs with the store in write: the text is there
    const there = loadAcquire(this.words, at + SITE_HASH);
    if (there === hash) return this.holds(at, text);
    // pairs with itself, on other CPUs: one of them writes the entry
    if (there !== 0 || cmpxchg(this.words, at + SITE_HASH, 0, SITE_BUSY) !== 0) return false;
    this.write(at, text, hash);
    return true;
  }

  private holds(at: number, text: string): boolean {
    if (loadAcquire(this.words, at + SITE_LENGTH) !== text.length) return false;
    for (let i = 0; i < text.length; i += 4)
      if (loadAcquire(this.words, at + SITE_TEXT + (i >> 2)) !== wordAt(text, i)) return false;
    return true;
  }

  private write(at: number, text: string, hash: number): void {
    storeRelease(this.words, at + SITE_LENGTH, text.length);
    for (let i = 0; i < text.length; i += 4)
      storeRelease(this.words, at + SITE_TEXT + (i >> 2), wordAt(text, i));
    // pairs with the load in isAt: publishes the text
    storeRelease(this.words, at + SITE_HASH, hash);
  }

  private charAt(at: number, index: number): string {
    const word = loadAcquire(this.words, at + SITE_TEXT + (index >> 2));
    return String.fromCharCode((word >>> ((index & 3) * 8)) & 0xff);
  }

  private addressOf(index: number): number {
    return this.table + index * SITE_WORDS;
  }
}

/** Four characters of a text, a byte each, from `index` on. */
function wordAt(text: string, index: number): number {
  let word = 0;
  for (let i = index + 3; i >= index; i--) {
    const code = i < text.length ? text.charCodeAt(i) : 0;
    word = (word << 8) | (code > 0xff ? QUESTION_MARK : code);
  }
  return word;
}

/** Neither 0 nor SITE_BUSY. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash === SITE_BUSY ? 1 : hash || 1;
}
