/** `heap.faultInject`: which allocations inside the library fail, and how many have. (The kernel's fault_attr.) */
import { checkOptions, type FaultSite, type Faults, inRange, SharedHeapError, shown } from "./arena/index.ts";

const SITES: readonly string[] = ["pages", "slab", "percpu", "names"] satisfies FaultSite[];

/** What `heap.faultInject` takes. */
export interface FaultOptions {
  /**
   * Where: `pages` of the page allocator, objects of `slab`, words of the CPUs' areas for new allocators (`percpu`),
   * records of `names`. Without it: everywhere.
   */
  readonly site?: FaultSite;
  /** Every so many allocations fail; default 1, all of them. */
  readonly every?: number;
  /** So many are let through first; default 0. */
  readonly after?: number;
  /** At most so many fail; default: no limit. */
  readonly times?: number;
}

/** Faults of one thread, while it lasts. */
export class FaultInjection implements Disposable {
  private readonly faults: Faults;
  private readonly site: FaultSite | undefined;
  private readonly every: number;
  private readonly after: number;
  private readonly times: number;
  /** Allocations at the site since it began, and how many of them failed. */
  seen = 0;
  failed = 0;

  /** Begins at once, in the place of the one before. Errors: `bad-option`. */
  constructor(faults: Faults, options: FaultOptions) {
    checkOptions("faultInject", options);
    const { site, every = 1, after = 0, times = Infinity } = options;
    if (site !== undefined && !SITES.includes(site))
      throw new SharedHeapError("bad-option", `site is ${shown(site)}: use ${SITES.join(", ")}`);
    this.every = inRange("every", every, 1, 2 ** 31);
    this.after = inRange("after", after, 0, 2 ** 31);
    this.times = times === Infinity ? times : inRange("times", times, 1, 2 ** 31);
    this.faults = faults;
    this.site = site;
    faults.test = this.test;
  }

  /** Ends it, unless another one has taken its place: from here on nothing fails. */
  stop(): void {
    if (this.faults.test === this.test) this.faults.test = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  private readonly test = (at: FaultSite): boolean => {
    if (this.site !== undefined && at !== this.site) return false;
    this.seen++;
    const turn = this.seen - this.after;
    if (turn <= 0 || turn % this.every !== 0 || this.failed >= this.times) return false;
    this.failed++;
    return true;
  };
}
