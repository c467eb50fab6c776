/**
 * Fault injection: allocations inside the library that are made to fail, to see what comes of it. (The kernel's failslab
 * and fail_page_alloc.) For one thread; without a test, the usual case, one predictable branch.
 */

/** What can be made to fail: pages; objects of slabs; words of the CPUs' areas; records of names. */
export type FaultSite = "pages" | "slab" | "percpu" | "names";

export class Faults {
  /** True: this allocation is to fail. */
  test: ((site: FaultSite) => boolean) | undefined = undefined;

  fails(site: FaultSite): boolean {
    return this.test?.(site) ?? false;
  }
}
