/** A list whose elements one thread replaces while others walk along it. The other two programs here use it. */
import assert from "node:assert/strict";
import { type MemCache, rcuAssignPointer, rcuDereference, type SharedHeap } from "sharedheap";

export const LENGTH = 32;

/** An element, in words: where the next one is, its place in the list, its version, and what must fit these two. */
const NEXT = 0;
const PLACE = 1;
const VERSION = 2;
const CHECK = 3;

/** The head: where the first element is, and 1 when the writer is done. In bytes. */
const FIRST = 0;
const DONE = 4;

export class List {
  readonly elements: MemCache;
  private readonly heap: SharedHeap;
  private readonly head: number;

  /** The list of that heap, which its first user makes. */
  constructor(heap: SharedHeap) {
    this.heap = heap;
    this.elements = heap.memCache({ name: "elements", size: 16 });
    this.head = heap.roots.get("list") || this.make();
  }

  private make(): number {
    const head = this.heap.malloc(8);
    let next = 0;
    for (let place = LENGTH - 1; place >= 0; place--) next = this.element(next, place, 0);
    rcuAssignPointer(this.heap, head + FIRST, next);
    rcuAssignPointer(this.heap, head + DONE, 0);
    this.heap.roots.set("list", head);
    return head;
  }

  private element(next: number, place: number, version: number): number {
    const p = this.elements.alloc();
    assert.notEqual(p, 0);
    // nobody sees it yet: plain stores will do
    this.heap.u32.set([next, place, version, ~(place ^ version)], p >>> 2);
    return p;
  }

  /** The elements, in their order. Call it inside a read section. */
  *walk(): Generator<number> {
    let p = rcuDereference(this.heap, this.head + FIRST);
    for (; p !== 0; p = rcuDereference(this.heap, p + NEXT * 4)) yield p;
  }

  /** Throws unless `p` is the element at that place. */
  check(p: number, place: number): void {
    const { u32 } = this.heap;
    assert.equal(u32[(p >>> 2) + PLACE], place, "an element was used again under its reader");
    assert.equal(u32[(p >>> 2) + CHECK], ~(place ^ u32[(p >>> 2) + VERSION]) >>> 0);
  }

  /** Puts a new version in place of an element. Returns the old one, which readers may still be at. One writer only. */
  replace(place: number): number {
    let slot = this.head + FIRST;
    for (let i = 0; i < place; i++) slot = rcuDereference(this.heap, slot) + NEXT * 4;
    const old = rcuDereference(this.heap, slot);
    const next = rcuDereference(this.heap, old + NEXT * 4);
    const version = this.heap.u32[(old >>> 2) + VERSION] + 1;
    rcuAssignPointer(this.heap, slot, this.element(next, place, version));
    return old;
  }

  get isDone(): boolean {
    return rcuDereference(this.heap, this.head + DONE) !== 0;
  }

  /** The writer is done: readers may go. */
  finish(): void {
    rcuAssignPointer(this.heap, this.head + DONE, 1);
  }
}
