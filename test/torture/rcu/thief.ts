/**
 * Another user of the slab allocator: takes what the torture's allocators give back, checks that nobody can
 * still rely on it, and scribbles on it.
 */
import type { Access } from "./access.ts";
import type { Elements } from "./elements.ts";
import { TYPES } from "./kinds.ts";

const HEADER_BYTES = 8;
const SIZES = [...new Set(TYPES.map(({ bytes }) => bytes + HEADER_BYTES))];
const SCRIBBLE = 0x5c71bb1e;

export class Thief {
  private readonly access: Access;
  private readonly elements: Elements;
  private loot: number[] = [];

  constructor(access: Access, elements: Elements) {
    this.access = access;
    this.elements = elements;
  }

  /** Frees what it has, and takes `count` blocks of each size. Task context. */
  steal(count: number): void {
    this.giveBack();
    for (const bytes of SIZES) for (let i = 0; i < count; i++) this.take(bytes);
  }

  giveBack(): void {
    for (const block of this.loot) this.access.heap.kfree(block);
    this.loot = [];
  }

  private take(bytes: number): void {
    const { heap } = this.access;
    const block = heap.kmalloc(bytes);
    if (block === 0) return;
    this.elements.checkBlock(block, bytes);
    const words = heap.i32;
    for (let at = block >>> 2; at < (block + bytes) >>> 2; at++) Atomics.store(words, at, SCRIBBLE);
    this.loot.push(block);
  }
}
