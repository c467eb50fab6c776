/** What only the host knows: here, and in the timers of turns.ts. */

/** Milliseconds, from some moment on. */
export function clock(): number {
  return (globalThis.performance ?? Date).now();
}

/** This thread's number among those of its process, from 1; 0 where there are none. (A heap is never in two processes.) */
export function threadNumber(): number {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const threads = process?.getBuiltinModule?.("node:worker_threads") as { threadId: number } | undefined;
  return threads === undefined ? 0 : threads.threadId + 1;
}

/** Web Locks, as far as they are used. */
export interface Locks {
  request(
    name: string,
    options: { readonly ifAvailable?: boolean },
    callback: (lock: unknown) => Promise<void> | undefined | void,
  ): Promise<unknown>;
}

/** Web Locks, where there are no worker threads that tell of their ends. */
export function webLocks(): Locks | undefined {
  if (threadNumber() !== 0) return undefined;
  return (globalThis as { navigator?: { locks?: Locks } }).navigator?.locks;
}

/** 32 random bits. */
export function randomWord(): number {
  // AudioWorklets have no crypto
  if (globalThis.crypto === undefined) return Math.floor(Math.random() * 2 ** 32) | 0;
  return crypto.getRandomValues(new Int32Array(1))[0];
}

/** Calls `fn` once, later, unless nothing else keeps the process. Returns what calls it off. */
export function later(fn: () => void, ms: number): () => void {
  const timer = setTimeout(fn, ms);
  // in browsers it is a number, and never keeps anything
  (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer);
}
