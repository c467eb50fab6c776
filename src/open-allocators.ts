/** The allocators that this thread has open, and how a program opens them. */
import { checkOptions, SharedHeapError } from "./arena/index.ts";
import type { Booted } from "./boot.ts";
import type { MemAlloc, MemCache, OwnedCache } from "./memalloc/index.ts";
import type { MemcgApi } from "./memcg-api.ts";
import type { MemAllocOptions, MemCacheOf, MemCacheOptions } from "./options.ts";
import type { Traceable } from "./trace-api.ts";

/** What it needs of the heap. */
interface Heap {
  /** Throws once the thread has detached, and while it does. */
  readonly live: () => Booted;
  readonly memcgs: MemcgApi;
  /** An allocator was opened, or closed, in this thread. */
  readonly onOpened: (allocator: Traceable) => void;
  readonly onClosed: (allocator: Traceable) => void;
}

type AnyAllocator = MemAlloc | MemCache | OwnedCache;

export class OpenAllocators {
  private readonly heap: Heap;
  private opened: AnyAllocator[] = [];
  private anonymous = 0;

  constructor(heap: Heap) {
    this.heap = heap;
  }

  /** All of them. */
  get list(): readonly Traceable[] {
    return this.opened as unknown as readonly Traceable[];
  }

  /** See SharedHeap.memAlloc. */
  memAlloc(options: MemAllocOptions): MemAlloc {
    const { allocators } = this.heap.live();
    checkOptions("memAlloc", options);
    const { percpu, owned } = options as MemCacheOptions;
    if (percpu === true)
      throw new SharedHeapError(
        "bad-option",
        "memAlloc has no per-CPU objects: use memCache({ size, percpu: true })",
      );
    if (owned === true)
      throw new SharedHeapError(
        "bad-option",
        "memAlloc has no owned objects: use memCache({ size, owned: true })",
      );
    const { memcg, name = this.anonymousName() } = options;
    return this.keep(allocators.openMemAlloc(name, false, this.heap.memcgs.refOf(memcg)));
  }

  /** See SharedHeap.memCache. */
  memCache<O extends MemCacheOptions>(options: O): MemCacheOf<O> {
    const { allocators } = this.heap.live();
    checkOptions("memCache", options);
    const { name = this.anonymousName(), size, dtor, percpu, owned } = options;
    if (owned === true && percpu === true)
      throw new SharedHeapError("bad-option", "per-CPU objects have no owner: leave out percpu, or owned");
    const memcg = this.heap.memcgs.refOf(options.memcg);
    const opened =
      owned === true
        ? allocators.openOwnedCache(name, size, dtor, memcg)
        : allocators.openMemCache(name, size, dtor, percpu, memcg);
    return this.keep(opened) as MemCacheOf<O>;
  }

  /** Notes an allocator that was opened. */
  keep<T extends AnyAllocator>(allocator: T): T {
    this.opened.push(allocator);
    this.heap.onOpened(allocator as unknown as Traceable);
    return allocator;
  }

  /** This CPU has given up the allocator with that key: its objects in this thread are of no use any more. */
  gaveUp(key: number, isDestroyed: boolean): void {
    for (const allocator of this.opened) allocator.close(key, isDestroyed);
    for (const allocator of this.opened)
      if (!allocator.isOpen) this.heap.onClosed(allocator as unknown as Traceable);
    this.opened = this.opened.filter(({ isOpen }) => isOpen);
  }

  /** A name that no other allocator has or will have: CPU, generation, count. */
  private anonymousName(): string {
    const { cpu, cpus } = this.heap.live();
    return `#${cpu.id}.${cpus.generationOf(cpu.id)}.${this.anonymous++}`;
  }
}
