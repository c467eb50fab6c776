/** Why shared memory is, or is not, to be had here. */

export interface IsolationReport {
  /** True if heaps can be shared by threads. */
  readonly available: boolean;
  /** What stands in the way, and what to do about it; empty if nothing does. */
  readonly reasons: readonly string[];
}

/** The globals that decide; a parameter for tests. */
interface Globals {
  readonly SharedArrayBuffer?: unknown;
  readonly Atomics?: unknown;
  readonly crossOriginIsolated?: boolean;
  readonly isSecureContext?: boolean;
}

/**
 * Says whether threads can share a heap here and, if not, why and what to do. Without shared memory
 * `SharedHeap.create()` makes a heap for this one thread.
 *
 * @example
 * const { available, reasons } = isolationReport();
 * if (!available) console.warn(reasons.join("\n"));
 */
export function isolationReport(globals: Globals = globalThis as Globals): IsolationReport {
  const reasons: string[] = [];
  if (globals.isSecureContext === false) {
    reasons.push("The page is not a secure context: serve it over https, or from localhost.");
  }
  if (globals.crossOriginIsolated === false) {
    reasons.push(
      "The page is not cross-origin isolated: serve it with the headers " +
        "'Cross-Origin-Opener-Policy: same-origin' and 'Cross-Origin-Embedder-Policy: require-corp'.",
    );
  }
  const missing = globals.SharedArrayBuffer === undefined || globals.Atomics === undefined;
  if (missing && reasons.length === 0) {
    reasons.push("This JavaScript engine has no SharedArrayBuffer: use a newer one, or a single thread.");
  }
  return { available: !missing && globals.crossOriginIsolated !== false, reasons };
}
