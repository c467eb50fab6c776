/**
 * The private lists of a cache: FREE_LIST and RCU_BATCH, and the HAND that guards both.
 *
 * A step: see that HAND is idle, set it, read the list, name the object in HAND, change the list, set HAND
 * idle. Whatever runs nested before HAND is set leaves it idle again, and the list is read after; whatever
 * runs nested later sees HAND and stays away. So no step needs an atomic. (mem-alloc.ts and mem-cache.ts have
 * these steps written out.)
 */
import { readPrivate, type Words, writePrivate } from "#primitive";
import { chainNext } from "./chain.ts";
import {
  BATCH,
  FREE_LIST,
  HAND,
  HAND_BUSY,
  HAND_IDLE,
  HAND_PUSH,
  OBJECT_CHECK,
  OBJECT_HOME,
  RCU_BATCH,
} from "./layout.ts";

export class FreeList {
  private readonly words: Words;

  constructor(words: Words) {
    this.words = words;
  }

  /** True while a call further down the stack is changing the lists, or the cache is closed. */
  isBusy(cache: number): boolean {
    return readPrivate(this.words, cache + HAND) !== HAND_IDLE;
  }

  /** Length of the free list. HAND is idle. */
  depth(cache: number): number {
    // set between the two reads, so that no nested call takes the first object away in between
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    // an empty list is NULL, whose depth word is 0
    const depth = readPrivate(this.words, readPrivate(this.words, cache + FREE_LIST) + OBJECT_CHECK);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return depth;
  }

  /** Takes the first object, or returns 0: none there, or busy. */
  pop(cache: number): number {
    if (this.isBusy(cache)) return 0;
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const node = this.popBusy(cache);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return node;
  }

  /** The same, with HAND already set. */
  popBusy(cache: number): number {
    const node = readPrivate(this.words, cache + FREE_LIST);
    if (node === 0) return 0;
    writePrivate(this.words, cache + HAND, node);
    writePrivate(this.words, cache + FREE_LIST, readPrivate(this.words, node + OBJECT_HOME));
    return node;
  }

  /** Pops up to `count` objects, as a chain. Returns its first, or 0. */
  popChain(cache: number, count: number): number {
    if (this.isBusy(cache)) return 0;
    const { words } = this;
    writePrivate(words, cache + HAND, HAND_BUSY);
    const first = readPrivate(words, cache + FREE_LIST);
    if (first !== 0) {
      // their depths stay: on a chain they say nothing, but that the objects are free
      let last = first;
      for (let left = count; left > 1 && readPrivate(words, last + OBJECT_HOME) !== 0; left--)
        last = readPrivate(words, last + OBJECT_HOME);
      writePrivate(words, cache + FREE_LIST, readPrivate(words, last + OBJECT_HOME));
      writePrivate(words, last + OBJECT_HOME, 0);
    }
    writePrivate(words, cache + HAND, HAND_IDLE);
    return first;
  }

  /** Puts an object that this CPU owns on the free list. HAND was found idle. */
  push(cache: number, node: number): void {
    writePrivate(this.words, cache + HAND, node + HAND_PUSH);
    this.link(cache + FREE_LIST, node);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
  }

  /** Puts the objects of a chain that this CPU owns on the free list. HAND was found idle. */
  pushChain(cache: number, first: number): void {
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    this.linkChain(cache + FREE_LIST, first);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
  }

  /** Puts the RCU batch, if it has more than `least` objects, onto the free list. HAND is set, and is left so. False: it has not. */
  recycleBusy(cache: number, least: number): boolean {
    const { words } = this;
    if (readPrivate(words, readPrivate(words, cache + RCU_BATCH) + OBJECT_CHECK) <= least) return false;
    this.linkChain(cache + FREE_LIST, this.takeBatchBusy(cache));
    return true;
  }

  /** Puts an object, which HAND names, into the RCU batch, and lets HAND go. Returns the batch, taken, if that made it full, or 0. */
  pushBatch(cache: number, node: number): number {
    const isFull = this.link(cache + RCU_BATCH, node) >= readPrivate(this.words, cache + BATCH);
    const first = isFull ? this.takeBatchBusy(cache) : 0;
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return first;
  }

  /** Takes the RCU batch as it is: a chain, or 0. HAND is idle. */
  takeBatch(cache: number): number {
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const first = this.takeBatchBusy(cache);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return first;
  }

  /** HAND is set. */
  private takeBatchBusy(cache: number): number {
    // HAND may name one of these, which is not on its way any more
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const first = readPrivate(this.words, cache + RCU_BATCH);
    writePrivate(this.words, cache + RCU_BATCH, 0);
    return first;
  }

  /** Puts the objects of a chain, of which HAND names the first, in front of a list. */
  private linkChain(list: number, first: number): void {
    const { words } = this;
    let head = readPrivate(words, list);
    let depth = readPrivate(words, head + OBJECT_CHECK);
    for (let node = first; node !== 0; ) {
      const next = chainNext(words, node);
      writePrivate(words, node + OBJECT_HOME, head);
      writePrivate(words, node + OBJECT_CHECK, ++depth);
      head = node;
      node = next;
    }
    writePrivate(words, list, head);
  }

  /** Puts `node`, which HAND names, in front of a list. Returns how long that is now. */
  link(list: number, node: number): number {
    const head = readPrivate(this.words, list);
    const depth = readPrivate(this.words, head + OBJECT_CHECK) + 1;
    writePrivate(this.words, node + OBJECT_HOME, head);
    writePrivate(this.words, node + OBJECT_CHECK, depth);
    writePrivate(this.words, list, node);
    return depth;
  }
}
