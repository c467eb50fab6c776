/** One thread's tools: what its activities are made of. */
import { setImmediate as turn } from "node:timers/promises";
import type { IrqWorkMode, SharedHeap } from "sharedheap";
import { randomFrom } from "../../support/random.ts";
import type { Library } from "../rcu/library.ts";
import { Commons } from "./commons.ts";
import { Control, MEETINGS } from "./control.ts";
import { Tally } from "./counters.ts";
import { Endings } from "./endings.ts";
import { Groups } from "./groups.ts";
import type { Job } from "./job.ts";
import { Pools } from "./pools.ts";
import { Post } from "./post.ts";
import { Shared } from "./shared.ts";

/** Those in the last mode leave callbacks to others: not the first thread. */
const MODES: readonly IrqWorkMode[] = ["inline", "inline", "turn", "kthread"];

export class Tenant {
  readonly thread: number;
  readonly threads: number;
  readonly random: (below: number) => number;
  readonly control: Control;
  readonly tally: Tally;
  readonly endings: Endings;
  readonly groups: Groups;
  readonly shared: Shared;
  readonly pools: Pools;
  readonly post: Post;
  readonly commons: Commons;
  heap: SharedHeap;
  private readonly library: Library;
  private readonly job: Job;

  constructor(library: Library, job: Job) {
    this.library = library;
    this.job = job;
    this.thread = job.thread;
    this.threads = job.threads;
    this.random = randomFrom(job.seed);
    this.control = new Control(job.control);
    this.tally = new Tally(job.counts, job.thread);
    this.heap = this.attach();
    this.endings = new Endings(this);
    this.groups = new Groups(this);
    this.shared = new Shared(this);
    this.pools = new Pools(this);
    this.post = new Post(this);
    this.commons = new Commons(this);
  }

  /** CPUs that the heap may have: the threads', and the starter's. */
  get cpus(): number {
    return this.threads + 1;
  }

  private attach(): SharedHeap {
    const irqWork = MODES[this.random(MODES.length - (this.thread === 0 ? 1 : 0))];
    this.tally.add("attaches");
    return this.library.SharedHeap.attach(this.job.token, { name: `tenant ${this.thread}`, irqWork });
  }

  /** Gives up this CPU and takes one again. What was allocated stays; not while something that ends is waited for here. */
  reattach(): void {
    if (!this.endings.areOver) return;
    this.commons.leave();
    this.heap.detach();
    this.heap = this.attach();
    this.groups.reopen();
    this.pools.reopen();
    this.post.reopen();
  }

  /** Ends all that there is, when all threads do. */
  async finish(): Promise<void> {
    const { control, heap } = this;
    const poll = () => this.heap.poll();
    await control.meet(0, () => this.post.collect());
    this.post.collectAll();
    this.commons.leave();
    this.pools.freeAll();
    await control.meet(1, poll);
    while (!this.pools.endAll()) await turn();
    this.groups.dropAll();
    if (this.thread === 0) {
      this.commons.endAll();
      this.shared.dropAll();
      this.groups.tight.drop();
    }
    while (!this.endings.areOver) {
      poll();
      await turn();
    }
    await control.meet(MEETINGS - 1, poll);
    heap.detach();
  }
}
