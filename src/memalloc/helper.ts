/**
 * What a CPU does for those in mode `kthread` (see inbox.ts): it takes from slab what they asked for.
 *
 * While it does, it has the allocator pinned, as if it had it open: so nothing is released under it.
 * Progress: lock-free; for each cache that asked, at most a batch.
 */
import { fetchAdd, readPrivate, type Words } from "#primitive";
import type { Cpu, Cpus, PercpuAreas } from "../cpu/index.ts";
import type { Allocators } from "./allocators.ts";
import { chainPush } from "./chain.ts";
import type { Allocator } from "./description.ts";
import type { Inbox } from "./inbox.ts";
import { BATCH, TAKEN } from "./layout.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Supply } from "./supply.ts";

export class Helper {
  private readonly words: Words;
  private readonly cpu: Cpu;
  private readonly cpus: Cpus;
  private readonly areas: PercpuAreas;
  private readonly supply: Supply;
  private readonly pipeline: Pipeline;
  private readonly inbox: Inbox;
  private readonly allocators: Allocators;

  constructor(
    cpu: Cpu,
    cpus: Cpus,
    areas: PercpuAreas,
    supply: Supply,
    pipeline: Pipeline,
    inbox: Inbox,
    allocators: Allocators,
  ) {
    this.words = cpu.words;
    this.cpu = cpu;
    this.cpus = cpus;
    this.areas = areas;
    this.supply = supply;
    this.pipeline = pipeline;
    this.inbox = inbox;
    this.allocators = allocators;
  }

  /** Refills the caches of other CPUs that called for help. Task context. */
  poll(): void {
    for (let cpu = 0; cpu < this.cpus.used; cpu++) {
      if (cpu !== this.cpu.id && this.cpus.takeCall(cpu)) this.help(cpu);
    }
  }

  private help(cpu: number): void {
    for (const allocator of this.allocators.list()) {
      const asked = this.allocators.cachesOn(cpu, allocator).filter((cache) => this.inbox.isAsked(cache));
      if (asked.length > 0) this.refill(allocator, asked);
    }
  }

  private refill(allocator: Allocator, caches: readonly number[]): void {
    this.allocators.whilePinned(allocator, () => {
      for (const cache of caches) this.refillOne(cache);
    });
  }

  private refillOne(cache: number): void {
    const first = this.allocChain(cache);
    if (first === 0) return;
    this.pipeline.begin(first, cache);
    if (!this.inbox.give(cache, first)) this.pipeline.release(first);
  }

  /** Up to a batch of zeroed objects from slab, linked; or 0. */
  private allocChain(cache: number): number {
    const batch = readPrivate(this.words, cache + BATCH);
    let first = 0;
    let got = 0;
    for (; got < batch; got++) {
      const node = this.supply.take(cache);
      if (node === 0) break;
      chainPush(this.words, first, node);
      first = node;
    }
    fetchAdd(this.words, this.areas.instanceOn(this.cpu.id, cache) + TAKEN, got);
    return first;
  }
}
