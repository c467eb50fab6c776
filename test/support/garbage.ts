/** Garbage collections of code that has warmed up. Needs --expose-gc. */
import { setImmediate } from "node:timers/promises";
import { countCollections } from "../../bench/latency/collections.ts";

/** How many there were while `run` ran, once `warmUp` has run twice and its garbage is gone. */
export async function collectionsOnceWarm(warmUp: () => void, run: () => void): Promise<number> {
  warmUp();
  await setImmediate();
  warmUp();
  globalThis.gc?.();
  await setImmediate();
  return countCollections(run);
}
