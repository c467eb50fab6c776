/** Heaps as src/boot.ts puts them together; one JS thread can be several of their CPUs. */
import { formatArena, type Geometry, type HeapToken, openArena } from "#src/arena/index.js";
import { type Booted, bootAttacher, bootCreator } from "#src/boot.js";
import { slabCaches } from "#src/inspect/system.js";

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** The whole of a new shared buffer. */
export function newWindow(bytes: number): HeapToken {
  return { buffer: new SharedArrayBuffer(bytes), byteOffset: 0, byteLength: bytes };
}

/** A new heap, and its creator's layers. */
export function newHeap(options: Partial<Geometry> = {}): Booted {
  const token = newWindow(options.bytes ?? 4 * MIB);
  return bootCreator(formatArena(token, options), "creator", false);
}

/** One more CPU of the same heap. */
export function attachTo(system: Booted, name = ""): Booted {
  return bootAttacher(openArena(system.arena.token), name);
}

/** A new heap with `count` CPUs, the creator first. */
export function newCpus(count: number, options: Partial<Geometry> = {}): [Booted, ...Booted[]] {
  const first = newHeap(options);
  return [first, ...Array.from({ length: count - 1 }, (_, i) => attachTo(first, `cpu ${i + 1}`))];
}

/** Gives up the current slabs of a CPU, in all caches. */
export function flushAll(system: Booted): void {
  for (const { cache } of slabCaches(system)) system.kmalloc.slab.flush(cache);
}

/** What the facade's detach does about these layers. */
export function detach(system: Booted): void {
  const { cpu, cpus } = system;
  cpu.irqWork.kick();
  cpus.beginDetach(cpu.id);
  flushAll(system);
  cpus.finishDetach(cpu.id);
}

/** All bytes of the heap. */
export function bytesOf(system: Booted): Uint8Array {
  const { buffer, byteOffset, byteLength } = system.arena.token;
  return new Uint8Array(buffer, byteOffset, byteLength);
}
