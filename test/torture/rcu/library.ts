/** The library under torture: the one in dist, or a copy with a bug planted. */
import { fileURLToPath } from "node:url";
import type * as sharedheap from "sharedheap";

export type Library = typeof sharedheap;

/** Address of the library as it was built. */
export const BUILT = import.meta.resolve("sharedheap");
/** Folder of its modules. */
export const DIST = fileURLToPath(new URL(".", BUILT));

export function loadLibrary(address: string): Promise<Library> {
  return import(address);
}
