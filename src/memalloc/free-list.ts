/**
 * The private lists of a cache: FREE_LIST, SPARE and RCU_BATCH, and the HAND that guards them.
 *
 * A step: see that HAND is idle, set it, read the list, name the object in HAND, change the list, set HAND
 * idle. Whatever runs nested before HAND is set leaves it idle again, and the list is read after; whatever
 * runs nested later sees HAND and stays away. So no step needs an atomic. (mem-alloc.ts and mem-cache.ts have
 * these steps written out.)
 *
 * The free list is filled and emptied an object at a time. When it is full it becomes the spare, and when it is empty
 * the spare becomes the free list: a batch of objects is moved by its head, and none of them is touched. (Bonwick's
 * magazines, of which a CPU has two.)
 */
import { readPrivate, type Words, writePrivate } from "#primitive";
import { chainUnseal } from "./chain.ts";
import {
  BATCH,
  FREE_LIST,
  HAND,
  HAND_BUSY,
  HAND_IDLE,
  HAND_PUSH,
  HIGH,
  LOW,
  OBJECT_CHECK,
  OBJECT_HOME,
  RCU_BATCH,
  SPARE,
  TGT,
  USUAL_LOW,
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
    const depth = this.depthOf(cache + FREE_LIST);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return depth;
  }

  /** Objects ready to hand out: those of the free list and of the spare. HAND is idle. */
  stock(cache: number): number {
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const stock = this.stockBusy(cache);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return stock;
  }

  /** The same, with HAND already set. */
  stockBusy(cache: number): number {
    return this.depthOf(cache + FREE_LIST) + this.depthOf(cache + SPARE);
  }

  /** True if objects are to be got. HAND is set. */
  isLow(cache: number): boolean {
    return this.depthOf(cache + FREE_LIST) < readPrivate(this.words, cache + LOW);
  }

  /** True if there is no room on the free list. HAND is set. */
  isFull(cache: number): boolean {
    return this.depthOf(cache + FREE_LIST) >= readPrivate(this.words, cache + HIGH);
  }

  private depthOf(list: number): number {
    // an empty list is NULL, whose depth word is 0
    return readPrivate(this.words, readPrivate(this.words, list) + OBJECT_CHECK);
  }

  /** Takes an object, or returns 0: none there, or busy. */
  pop(cache: number): number {
    if (this.isBusy(cache)) return 0;
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const node = this.popBusy(cache);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return node;
  }

  /** The same, with HAND already set. */
  popBusy(cache: number): number {
    const node = readPrivate(this.words, cache + FREE_LIST) || this.loadSpare(cache);
    if (node === 0) return 0;
    writePrivate(this.words, cache + HAND, node);
    writePrivate(this.words, cache + FREE_LIST, readPrivate(this.words, node + OBJECT_HOME));
    return node;
  }

  /** The free list is empty: the spare, if there is one, takes its place. Returns its first object, or 0. HAND is set. */
  private loadSpare(cache: number): number {
    const first = readPrivate(this.words, cache + SPARE);
    // in this order: who dies in between has it twice, and not lost
    writePrivate(this.words, cache + FREE_LIST, first);
    this.setSpare(cache, 0);
    return first;
  }

  /**
   * The free list is full: it becomes the spare, and the spare that free list. Of one that is longer than a batch, a batch
   * does. Returns the spare that was there if it is too much, or 0. HAND is set.
   */
  setAside(cache: number): number {
    const { words } = this;
    const before = readPrivate(words, cache + SPARE);
    const batch = readPrivate(words, cache + BATCH);
    if (this.depthOf(cache + FREE_LIST) > batch) {
      this.setSpare(cache, this.cut(cache, batch));
      return before;
    }
    const isTooMuch = this.depthOf(cache + SPARE) >= batch;
    // in this order: who dies in between has it twice, and not lost
    this.setSpare(cache, readPrivate(words, cache + FREE_LIST));
    writePrivate(words, cache + FREE_LIST, isTooMuch ? 0 : before);
    return isTooMuch ? before : 0;
  }

  /** Takes the spare. Returns its first object, or 0. HAND is idle. */
  takeSpare(cache: number): number {
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const first = readPrivate(this.words, cache + SPARE);
    this.setSpare(cache, 0);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return first;
  }

  /** Makes a list, or none, the spare. HAND is set, or nobody else is there. */
  setSpare(cache: number, first: number): void {
    writePrivate(this.words, cache + SPARE, first);
    this.setLow(cache);
  }

  private setLow(cache: number): void {
    const low = readPrivate(this.words, cache + USUAL_LOW) - this.depthOf(cache + SPARE);
    writePrivate(this.words, cache + LOW, low < 0 ? 0 : low);
  }

  /** Who acted as this CPU died: maybe while the free list and the spare changed places. */
  settle(cache: number): void {
    const spare = readPrivate(this.words, cache + SPARE);
    this.setSpare(cache, spare === readPrivate(this.words, cache + FREE_LIST) ? 0 : spare);
  }

  /** Takes up to `count` objects from the free list, as a chain. Returns its first, or 0. */
  popChain(cache: number, count: number): number {
    if (this.isBusy(cache)) return 0;
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const first = this.cut(cache, count);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return first;
  }

  /** The same, with HAND already set. What is taken is a list of its own. */
  private cut(cache: number, count: number): number {
    const { words } = this;
    const first = readPrivate(words, cache + FREE_LIST);
    if (this.depthOf(cache + FREE_LIST) <= count) {
      writePrivate(words, cache + FREE_LIST, 0);
      return first;
    }
    let last = first;
    for (let left = count; left > 1; left--) last = readPrivate(words, last + OBJECT_HOME);
    writePrivate(words, cache + FREE_LIST, readPrivate(words, last + OBJECT_HOME));
    writePrivate(words, last + OBJECT_HOME, 0);
    for (let node = first, depth = count; node !== 0; node = readPrivate(words, node + OBJECT_HOME))
      writePrivate(words, node + OBJECT_CHECK, depth--);
    return first;
  }

  /** Puts an object that this CPU owns on the free list. HAND was found idle. */
  push(cache: number, node: number): void {
    writePrivate(this.words, cache + HAND, node + HAND_PUSH);
    this.link(cache + FREE_LIST, node);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
  }

  /** Adds an object that comes from slab: to the spare, until that is a batch. HAND was found idle. See endRefill. */
  pushNew(cache: number, node: number): void {
    writePrivate(this.words, cache + HAND, node + HAND_PUSH);
    const isWhole = this.depthOf(cache + SPARE) >= readPrivate(this.words, cache + BATCH);
    this.link(cache + (isWhole ? FREE_LIST : SPARE), node);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
  }

  /** After some pushNew: what follows from the spare is written, LOW and TGT. HAND is idle. */
  endRefill(cache: number): void {
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    this.setLow(cache);
    writePrivate(this.words, cache + TGT, cache);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
  }

  /** Adds the objects of a chain that this CPU owns, if there is room for a batch. False: there is not. HAND was found idle. */
  pushChain(cache: number, first: number): boolean {
    writePrivate(this.words, cache + HAND, HAND_BUSY);
    const hasRoom = this.stockBusy(cache) <= readPrivate(this.words, cache + HIGH);
    if (hasRoom) this.addChain(cache, first);
    writePrivate(this.words, cache + HAND, HAND_IDLE);
    return hasRoom;
  }

  /**
   * The same, where the list is low: there is room. (Or a refill from slab is under way, and has not said yet that there is more:
   * what is too much goes home when that ends.) HAND is set.
   */
  addChain(cache: number, first: number): void {
    const { words } = this;
    chainUnseal(words, first);
    if (readPrivate(words, cache + SPARE) === 0) {
      this.setSpare(cache, first);
      writePrivate(words, cache + TGT, cache);
    } else if (readPrivate(words, cache + FREE_LIST) === 0) writePrivate(words, cache + FREE_LIST, first);
    else if (this.stockBusy(cache) > readPrivate(words, cache + BATCH))
      this.linkAll(cache + FREE_LIST, first);
    else this.pushList(cache, first);
  }

  /** A list takes the place of the free list, whose objects join those of the spare. HAND is set. */
  private pushList(cache: number, first: number): void {
    const before = readPrivate(this.words, cache + FREE_LIST);
    // in this order: what who dies in between was moving is on no list, and not on two
    writePrivate(this.words, cache + FREE_LIST, first);
    this.linkAll(cache + SPARE, before);
    this.setLow(cache);
  }

  /** Adds the RCU batch, if it has more than `least` objects. HAND is set, and is left so. False: it has not. */
  recycleBusy(cache: number, least: number): boolean {
    if (this.depthOf(cache + RCU_BATCH) <= least) return false;
    this.addChain(cache, this.takeBatchBusy(cache));
    return true;
  }

  /** Puts an object, which HAND names, into the RCU batch, and lets HAND go. Returns the batch, taken, if that made it full, or 0. */
  pushBatch(cache: number, node: number): number {
    const isFull = this.link(cache + RCU_BATCH, node) >= readPrivate(this.words, cache + BATCH);
    // HAND names one of these, which is not on its way any more
    if (isFull) writePrivate(this.words, cache + HAND, HAND_BUSY);
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
    const first = readPrivate(this.words, cache + RCU_BATCH);
    writePrivate(this.words, cache + RCU_BATCH, 0);
    return first;
  }

  /** Puts all objects of another list in front of this one. */
  private linkAll(list: number, first: number): void {
    const { words } = this;
    let head = readPrivate(words, list);
    let depth = this.depthOf(list);
    for (let node = first; node !== 0; ) {
      const next = readPrivate(words, node + OBJECT_HOME);
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
