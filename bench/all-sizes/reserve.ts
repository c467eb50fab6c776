/** The one call to `reserve`. */
import type { MemAlloc } from "sharedheap";
import type { Bucket } from "./subjects.ts";

/** Allocators cannot do it yet; when they can, NULL within what was reserved is an error. */
export const CAN_RESERVE: boolean = false;

type Reserving = MemAlloc & { reserve(size: number, count: number): void };

/** Tops this thread's stock of that bucket up to what a go takes. Task context. */
export function reserve(pool: MemAlloc, { payload, objects }: Bucket): void {
  (pool as Reserving).reserve(payload, objects);
}
