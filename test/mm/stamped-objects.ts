/**
 * Objects of one slab cache, open on several CPUs. Whatever is handed out is filled with a stamp of
 * its own until it is freed, so that objects which overlap, or that the allocator writes to, are found.
 */
import assert from "node:assert/strict";
import type { Booted } from "#src/boot.js";
import { type KmemCache, openKmemCache } from "#src/mm/index.js";
import { bytesOf } from "../support/heaps.ts";

export interface Shape {
  readonly size: number;
  readonly align: number;
  readonly constructed: boolean;
  readonly typesafe?: boolean;
}

interface StampedObject {
  readonly p: number;
  readonly stamp: number;
}

/** What a constructor leaves in each byte, and what is put back before a free. */
const CONSTRUCTED = 0xc7;

function holdsOnly(bytes: Uint8Array, byte: number): boolean {
  return Buffer.compare(bytes, Buffer.alloc(bytes.length, byte)) === 0;
}

export class StampedObjects {
  readonly shape: Shape;
  readonly live: StampedObject[] = [];
  /** How often the constructor ran. */
  constructions = 0;
  private readonly bytes: Uint8Array;
  private readonly caches: KmemCache[];
  private stamps = 0;

  constructor(cpus: readonly Booted[], name: string, shape: Shape) {
    this.shape = shape;
    this.bytes = bytesOf(cpus[0] as Booted);
    const ctor = (p: number): void => {
      this.constructions++;
      this.objectAt(p).fill(CONSTRUCTED);
    };
    this.caches = cpus.map(({ kmalloc, directory, areas }) => {
      const { size, align, constructed, typesafe } = shape;
      const options = {
        name,
        size,
        align,
        typesafeByRcu: typesafe ?? false,
        ...(constructed ? { ctor } : {}),
      };
      return openKmemCache(kmalloc, directory, areas, options);
    });
  }

  private objectAt(p: number): Uint8Array {
    return this.bytes.subarray(p, p + this.shape.size);
  }

  private cacheOn(cpu: number): KmemCache {
    return this.caches[cpu % this.caches.length] as KmemCache;
  }

  /** Returns false if there was no memory. */
  alloc(cpu: number): boolean {
    const p = this.cacheOn(cpu).alloc();
    if (p === 0) return false;
    assert.equal(p % this.shape.align, 0, `object at ${p}`);
    const object = this.objectAt(p);
    assert.equal(object.length, this.shape.size, "it lies in the heap");
    if (this.shape.constructed) {
      assert.ok(holdsOnly(object, CONSTRUCTED), `object at ${p} is as its constructor left it`);
    }
    this.stamps = (this.stamps % 199) + 1;
    object.fill(this.stamps);
    this.live.push({ p, stamp: this.stamps });
    return true;
  }

  freeAt(cpu: number, index: number): void {
    const [object] = this.live.splice(index % (this.live.length || 1), 1);
    if (object === undefined) return;
    this.checkStamp(object);
    if (this.shape.constructed) this.objectAt(object.p).fill(CONSTRUCTED);
    this.cacheOn(cpu).free(object.p);
  }

  freeAll(cpu: number): void {
    while (this.live.length > 0) this.freeAt(cpu, this.live.length - 1);
  }

  checkStamps(): void {
    for (const object of this.live) this.checkStamp(object);
  }

  private checkStamp({ p, stamp }: StampedObject): void {
    assert.ok(holdsOnly(this.objectAt(p), stamp), `object at ${p} was written to by somebody else`);
  }
}
