/** Ways to get elements and to be rid of them. */
import type { MemCache, SharedHeap } from "sharedheap";
import { BACK, HandOver } from "./hand-over.ts";
import { BATCH, SLOTS } from "./job.ts";
import { ELEMENT_BYTES, type Place } from "./place.ts";

export interface Elements {
  make(): number;
  drop(p: number): void;
  /** What a program does in a turn of its event loop. */
  turn(): void;
}

class Freed implements Elements {
  protected readonly heap: SharedHeap;
  protected readonly cache: MemCache;

  constructor({ heap }: Place) {
    this.heap = heap;
    this.cache = heap.memCache({ name: "elements", size: ELEMENT_BYTES });
  }

  make(): number {
    return this.cache.alloc();
  }

  drop(p: number): void {
    this.cache.free(p);
  }

  turn(): void {
    this.heap.poll();
  }
}

class FreedRcu extends Freed {
  override drop(p: number): void {
    this.cache.freeRcu(p);
  }
}

/** One closure for each element: what programs do that have no freeRcu. */
class Called implements Elements {
  private readonly heap: SharedHeap;

  constructor({ heap }: Place) {
    this.heap = heap;
  }

  make(): number {
    return this.heap.malloc(ELEMENT_BYTES);
  }

  drop(p: number): void {
    this.heap.rcu.call(() => this.heap.free(p));
  }

  turn(): void {
    this.heap.poll();
  }
}

/** All elements are allocated at first, and those that are free are on a list. */
class Preallocated implements Elements {
  private readonly words: Uint32Array;
  private readonly head: number;

  constructor({ heap }: Place) {
    const cache = heap.memCache({ name: "elements", size: ELEMENT_BYTES });
    this.words = heap.u32;
    this.head = heap.kmalloc(4) >>> 2;
    this.words[this.head] = 0;
    for (let i = 0; i < SLOTS; i++) this.drop(cache.alloc());
  }

  make(): number {
    const { words, head } = this;
    const p = words[head];
    if (p !== 0) words[head] = words[p >>> 2];
    return p;
  }

  drop(p: number): void {
    const { words, head } = this;
    words[p >>> 2] = words[head];
    words[head] = p;
  }

  turn(): void {}
}

/** The same where another thread deletes: that one sends them back. */
class SentBack implements Elements {
  private readonly back: HandOver;
  private readonly words: Uint32Array;
  private readonly slots: number;
  private readonly own: Preallocated | undefined;
  private next = 0;
  private left: number;

  constructor(place: Place) {
    const { heap, thread, control } = place;
    const adder = thread & ~1;
    this.back = new HandOver(control, adder, BACK);
    this.words = heap.u32;
    // the slots of the one who deletes are used by nobody else
    this.slots = place.slotsOf(adder + 1) >>> 2;
    this.own = thread === adder ? new Preallocated(place) : undefined;
    this.left = thread === adder ? 0 : BATCH;
  }

  make(): number {
    const p = this.own?.make() ?? 0;
    if (p !== 0) return p;
    if (this.left === 0) {
      this.next = this.slots + this.back.awaitBatch(() => false);
      this.left = BATCH;
    }
    const found = this.words[this.next++];
    if (--this.left === 0) this.back.taken();
    return found;
  }

  drop(p: number): void {
    if (this.left === BATCH) this.next = this.slots + this.back.awaitRoom();
    this.words[this.next++] = p;
    if (--this.left > 0) return;
    this.back.put();
    this.left = BATCH;
  }

  turn(): void {}
}

export interface Subject {
  readonly name: string;
  /** Readers beside the threads of the workload. */
  readonly readers: number;
  open(place: Place, isHandedOver: boolean): Elements;
}

/** What the others are compared with. */
export const POOL = "pool";
export const CALLBACKS = "callbacks";

export const SUBJECTS: readonly Subject[] = [
  { name: "free", readers: 0, open: (place) => new Freed(place) },
  { name: "freeRcu", readers: 0, open: (place) => new FreedRcu(place) },
  { name: "freeRcu + reader", readers: 1, open: (place) => new FreedRcu(place) },
  {
    name: POOL,
    readers: 0,
    open: (place, isHandedOver) => (isHandedOver ? new SentBack(place) : new Preallocated(place)),
  },
  { name: CALLBACKS, readers: 0, open: (place) => new Called(place) },
];
