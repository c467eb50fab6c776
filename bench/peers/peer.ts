/** What else there is to allocate with, as the runner sees it. */
import type { AllocatorWorkload, Loop, Make, Subject } from "../workloads/workload.ts";

export interface Peer {
  readonly name: string;
  /** Whether its objects are all of 64 bytes. */
  readonly fixed: boolean;
  /** Its loop of a workload. It is called once per process. */
  begin(workload: AllocatorWorkload): Opened | Promise<Opened>;
}

export interface Opened {
  readonly loop: Loop;
  /** Throws if something is broken in the end. */
  end(): void;
}

/** An allocator over a buffer, in which the first word is nobody's. */
export interface Pool {
  readonly subject: Subject;
  readonly words: Int32Array;
}

/** So much is enough for every workload. */
export const POOL_BYTES = 64 * 2 ** 20;

export function poolPeer(name: string, open: () => Pool | Promise<Pool>): Peer {
  return {
    name,
    fixed: false,
    async begin(workload) {
      const { subject, words } = await open();
      return { loop: workload.prepare(subject, words), end: () => checkPool(name, words) };
    },
  };
}

/** A failed allocation returns 0, and the loop has then written there. */
export function checkPool(name: string, words: Int32Array): void {
  if (words[0] !== 0) throw new Error(`${name} ran out of memory`);
}

export function garbagePeer(name: string, fixed: boolean, make: Make): Peer {
  return {
    name,
    fixed,
    begin: (workload) => ({ loop: workload.prepareGarbage(make), end() {} }),
  };
}
