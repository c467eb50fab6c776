/** A wrong call. */
import type { SharedHeap } from "sharedheap";
import type { Expected } from "./classify.ts";
import type { World } from "./world.ts";

export interface Attempt {
  /** What exactly is tried, for the report of a failure. */
  readonly what: string;
  readonly expected: Expected;
  call(): unknown;
  /** The heap that is to stay as it is; default: the world's. */
  readonly heap?: SharedHeap;
  /** It makes right calls too, which leave something changed. */
  readonly alsoRight?: boolean;
  /** It is about contexts or sections itself: made in task context, outside of sections. */
  readonly isPlain?: boolean;
}

/** Makes wrong calls of one kind; undefined: there is nothing in the heap now that could be misused so. */
export interface Adversary {
  readonly name: string;
  readonly attempt: (world: World) => Attempt | undefined;
  /** How much more often than others it is asked. */
  readonly weight: number;
}
