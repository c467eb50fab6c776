/**
 * Where objects come from and go to: slab, and with it the charge of the allocator's group. (A group is charged for
 * all that its allocators hold from slab, in use or not.)
 *
 * Progress: as slab and charges. Any context.
 */
import { readPrivate, type Words } from "#primitive";
import { RECORD_DATA } from "../arena/layout.ts";
import { hasOwners, heldBytes, type Memcgs, type Slab, slabPageOfOwn } from "../mm/index.ts";
import { UNIT_BYTES } from "../mm/layout.ts";
import { payloadOf } from "./header.ts";
import {
  ALLOC_DTOR,
  ALLOC_MEMCG,
  HEADER_WORDS,
  OWNED_BYTES,
  OWNED_WORDS,
  OWNER,
  SLAB_CACHE,
  UNIT_WORDS,
} from "./layout.ts";
import { clearOwner } from "./owner.ts";

export class Supply {
  readonly memcgs: Memcgs;
  private readonly words: Words;
  private readonly slab: Slab;
  /** Constructor of slabs whose objects have owners: a scan may look at them as soon as the slab is there. */
  private readonly construct: (node: number) => void;

  constructor(slab: Slab, memcgs: Memcgs) {
    this.words = slab.words;
    this.slab = slab;
    this.memcgs = memcgs;
    this.construct = (node) => clearOwner(this.words, node);
  }

  /** A zeroed object for a cache, charged; or 0: out of memory, or its group has no room. */
  take(cache: number): number {
    const group = this.groupOf(cache);
    if (group !== 0 && !this.memcgs.stock.charge(group, this.unitsOf(cache))) return 0;
    const construct = this.hasOwners(cache) ? this.construct : undefined;
    const node = this.slab.alloc(readPrivate(this.words, cache + SLAB_CACHE), construct);
    if (node !== 0) this.zero(cache, node);
    else if (group !== 0) this.memcgs.stock.uncharge(group, this.unitsOf(cache));
    return node;
  }

  private zero(cache: number, node: number): void {
    const count = readPrivate(this.words, cache + UNIT_WORDS);
    if (this.hasOwners(cache)) this.zeroOwned(cache, node, count);
    else this.slab.zero(readPrivate(this.words, cache + SLAB_CACHE), node, count);
  }

  /** All but the words that others look at: OWNER is 0, and TAG says nothing. */
  private zeroOwned(cache: number, node: number, count: number): void {
    const slabCache = readPrivate(this.words, cache + SLAB_CACHE);
    const rest = HEADER_WORDS + OWNED_WORDS;
    this.slab.zero(slabCache, node, HEADER_WORDS);
    this.slab.zero(slabCache, node + rest, count - rest);
  }

  private hasOwners(cache: number): boolean {
    return hasOwners(this.words, readPrivate(this.words, cache + SLAB_CACHE));
  }

  /** The offset of what the program has of an object of a cache. */
  payloadOf(cache: number, node: number): number {
    return payloadOf(node) + (this.hasOwners(cache) ? OWNED_BYTES : 0);
  }

  /** An object of a cache goes back to slab. It stays charged: see uncharge. */
  giveBack(cache: number, node: number): void {
    this.slab.free(readPrivate(this.words, cache + SLAB_CACHE), slabPageOfOwn(this.slab.pages, node), node);
  }

  /** So many objects of a cache have gone back. */
  uncharge(cache: number, objects: number): void {
    const group = this.groupOf(cache);
    if (group !== 0) this.memcgs.stock.uncharge(group, objects * this.unitsOf(cache));
  }

  /** The group that has no room for another object of a cache, or 0: the cache's own one, or one above it. */
  refusing(cache: number): number {
    const group = this.groupOf(cache);
    return group === 0 ? 0 : this.memcgs.stock.charges.refusing(group, this.unitsOf(cache));
  }

  /** NULL is returned: an event of the group that has no room, if there is one. */
  countFailure(cache: number): void {
    const refusing = this.refusing(cache);
    if (refusing !== 0) this.memcgs.countFailure(refusing);
  }

  /** The record of the group of a cache, or 0. */
  groupOf(cache: number): number {
    return this.ownerWord(cache, ALLOC_MEMCG);
  }

  /** The record of the destructor of a cache, or 0. */
  destructorOf(cache: number): number {
    return this.ownerWord(cache, ALLOC_DTOR);
  }

  /** Plain: the record was published with the allocator, which has the cache open or a chain on its way to it. */
  private ownerWord(cache: number, field: number): number {
    return readPrivate(this.words, readPrivate(this.words, cache + OWNER) + RECORD_DATA + field);
  }

  /** What an object is charged as: all that slab holds for it. */
  private unitsOf(cache: number): number {
    return heldBytes(this.words, readPrivate(this.words, cache + SLAB_CACHE)) / UNIT_BYTES;
  }
}
