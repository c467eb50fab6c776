/**
 * The directory: names that all threads can see, each with a record. Roots live here, and the
 * descriptors of allocators and slab caches.
 *
 * A record is filled in before it is published, by one CAS on the first free pointer. Pointers are
 * filled from the front and never emptied, so two CPUs that publish the same name meet at the same
 * pointer: one wins and the other takes the winner's record. That is why there is no removal.
 *
 * Progress: `find` is wait-free; `publish` is lock-free (a CAS fails only because another name was
 * published), at most `maxNames` rounds. Any context.
 */
import { cmpxchg, fetchAdd, loadAcquire, storeRelease, type Words, writePrivate } from "#primitive";
import type { Arena } from "./arena.ts";
import { SharedHeapError } from "./errors.ts";
import type { Faults } from "./faults.ts";
import { RECORD_KIND, RECORD_NAME, RECORD_WORDS, RECORDS_USED } from "./layout.ts";
import type { Memblock } from "./memblock.ts";
import { nameIs, readName, writeName } from "./names.ts";

export class Directory {
  readonly words: Words;
  private readonly faults: Faults;
  private readonly capacity: number;
  private readonly pointers: number;
  private readonly records: number;

  constructor(arena: Arena, memblock: Memblock) {
    this.words = arena.words;
    this.faults = arena.faults;
    this.capacity = arena.geometry.maxNames;
    this.pointers = memblock.reserve(this.capacity);
    this.records = memblock.reserve(this.capacity * RECORD_WORDS);
  }

  /** The record of that kind and name, or 0. */
  find(kind: number, name: string): number {
    for (let i = 0; i < this.capacity; i++) {
      const record = this.at(i);
      if (record === 0) return 0;
      if (this.matches(record, kind, name)) return record;
    }
    return 0;
  }

  /** The record of that kind and name, which is made if need be. Errors: `limit`. */
  findOrMake(kind: number, name: string): number {
    const found = this.find(kind, name);
    if (found !== 0) return found;
    this.checkRoom(name);
    return this.publish(this.reserve(kind, name));
  }

  /**
   * A new record of that kind and name, to be filled in from RECORD_DATA on and then published. After checkRoom.
   * Errors: `limit`.
   */
  reserve(kind: number, name: string): number {
    // keeps reservations apart; publishes nothing
    const index = fetchAdd(this.words, RECORDS_USED, 1);
    if (index >= this.capacity) {
      fetchAdd(this.words, RECORDS_USED, -1);
      this.refuse(name);
    }
    const record = this.records + index * RECORD_WORDS;
    writePrivate(this.words, record + RECORD_KIND, kind);
    writeName(this.words, record + RECORD_NAME, name);
    return record;
  }

  /** Throws `limit` if there is no room for another name: before anything else is reserved for it. */
  checkRoom(name: string): void {
    const isFull = loadAcquire(this.words, RECORDS_USED) >= this.capacity;
    if (isFull || this.faults.fails("names")) this.refuse(name);
  }

  private refuse(name: string): never {
    throw new SharedHeapError(
      "limit",
      `no room for the name "${name}": all ${this.capacity} are taken; raise maxNames in SharedHeap.create()`,
    );
  }

  /** Publishes a reserved record. Returns it, or the record of the same kind and name that was there first. */
  publish(record: number): number {
    const kind = this.kindOf(record);
    const name = this.nameOf(record);
    for (let i = 0; i < this.capacity; i++) {
      // pairs with `at`: publishes the record
      const there = cmpxchg(this.words, this.pointers + i, 0, record);
      if (there === 0) return record;
      if (this.matches(there, kind, name)) return there;
    }
    // Each pointer stands for a reservation of its own, and there are no more of those than pointers.
    throw new SharedHeapError("corrupt", "the directory holds more records than were reserved");
  }

  /** Publishes a reserved record even if there is another one of its kind and name. */
  append(record: number): void {
    for (let i = 0; i < this.capacity; i++) {
      // pairs with `at`: publishes the record
      if (cmpxchg(this.words, this.pointers + i, 0, record) === 0) return;
    }
    throw new SharedHeapError("corrupt", "the directory holds more records than were reserved");
  }

  /** Records have numbers too, by where they lie. */
  indexOf(record: number): number {
    return (record - this.records) / RECORD_WORDS;
  }

  recordAt(index: number): number {
    return this.records + index * RECORD_WORDS;
  }

  /** The record published as number `index`, or 0. */
  at(index: number): number {
    // pairs with the CAS in `publish`
    return index < this.capacity ? loadAcquire(this.words, this.pointers + index) : 0;
  }

  /** The published records of a kind, in order. Passes over pointers that a damaged heap may hold. */
  ofKind(kind: number): number[] {
    const records = [];
    for (let i = 0, record = this.at(0); record !== 0; record = this.at(++i)) {
      if (this.isRecord(record) && this.kindOf(record) === kind) records.push(record);
    }
    return records;
  }

  kindOf(record: number): number {
    return loadAcquire(this.words, record + RECORD_KIND);
  }

  nameOf(record: number): string {
    return readName(this.words, record + RECORD_NAME);
  }

  /** True if `record` is the address of a record. */
  isRecord(record: number): boolean {
    const offset = record - this.records;
    return offset >= 0 && offset < this.capacity * RECORD_WORDS && offset % RECORD_WORDS === 0;
  }

  private matches(record: number, kind: number, name: string): boolean {
    return this.kindOf(record) === kind && nameIs(this.words, record + RECORD_NAME, name);
  }

  /** How many records are published; the invariants are checked by `checkDirectory`. */
  get count(): number {
    let count = 0;
    while (this.at(count) !== 0) count++;
    return count;
  }

  /** Stores a word of a published record. */
  store(record: number, field: number, value: number): void {
    storeRelease(this.words, record + field, value);
  }

  /** Reads a word of a published record. */
  load(record: number, field: number): number {
    return loadAcquire(this.words, record + field);
  }
}
