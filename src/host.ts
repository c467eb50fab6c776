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
