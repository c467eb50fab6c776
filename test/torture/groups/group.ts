/** A group as the thread that made it, or opened it, knows it. */
import type { Memcg } from "sharedheap";
import type { Code } from "./refusals.ts";

export interface Group {
  readonly name: string;
  /** That of this thread's heap object: another one when it has attached again. */
  memcg: Memcg;
  /** 1: it has no parent, or the root. */
  readonly depth: number;
  readonly parent: Group | undefined;
  /** Its limit, which only this thread moves. Infinity for one that is shared. */
  max: number;
  /** Neither it nor one above it ever has a limit: so nothing may be refused. */
  readonly isRoomy: boolean;
  readonly isUnderRoot: boolean;
  /** Others may drop it. */
  readonly isShared: boolean;
}

/** The errors that a call on it may have, besides these. */
export function codesOf(group: Group | undefined, ...codes: Code[]): readonly Code[] {
  return group?.isShared ? [...codes, "destroyed"] : codes;
}

/** Throws unless its limit is what this thread set last. */
export function checkMax({ name, memcg, max, isShared }: Group): void {
  if (!isShared && memcg.max !== max)
    throw new Error(`group "${name}" may have ${memcg.max} bytes: nobody set it to that, but to ${max}`);
}
