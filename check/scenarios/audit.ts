/**
 * A thread that dies at any step of what it does, and what an audit makes of it: a survivor reaps it and audits. Then every
 * object is the program's, or on one list, or free in its slab, every page is in a block or free, and every count is right.
 */
import type { AuditReport } from "#src/audit/index.js";
import type { Booted } from "#src/boot.js";
import type { Allocator, MemCache, OwnedCache } from "#src/memalloc/index.js";
import type { Memcgs } from "#src/mm/index.js";
import type { Call, Prepared } from "../engine/scenario.ts";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";
import { auditTwice } from "../oracles/audited.ts";
import { checkSound } from "../oracles/books.ts";
import { Ledger } from "../oracles/ledger.ts";
import { allOf, checkDistinct, checkNoneLost, reapDead } from "../oracles/reaped.ts";
import { bootCpus, PAIRS, pollUntilQuiet, tryDestroy } from "./small-heap.ts";

const SIZE = 2040;
/** Of kmalloc: an object, a block of pages, and one of more pages than a word of the bitmaps has. */
const OBJECT_BYTES = 2000;
const BLOCK_BYTES = 20 * 4096;
const LARGE_BYTES = 33 * 4096;

type Name =
  | "alloc"
  | "direct"
  | "free"
  | "freeRcu"
  | "rawFree"
  | "poll"
  | "kmalloc"
  | "block"
  | "kfree"
  | "flush"
  | "close"
  | "open"
  | "destroy"
  | "drop";

/** What each CPU has at the start. */
interface Gifts {
  readonly objects: readonly number[];
  readonly blocks: readonly number[];
}

export class AuditClients implements Prepared {
  readonly words: Int32Array;
  readonly cpus = 2;
  readonly nested: readonly Call[];
  readonly calls: Record<Name, Call>;
  private readonly callsAtOnce: number;
  private readonly library: Library;
  private readonly booted: readonly Booted[];
  private readonly pools: readonly (MemCache | OwnedCache)[];
  /** What the programs have: objects of the pool, and what kmalloc gave. */
  private readonly objects: Ledger;
  private readonly blocks: Ledger;
  private readonly gifts: readonly Gifts[];
  private taken: readonly number[] = [];

  /** `kind`: whether the pool's objects name who allocated them. `callsAtOnce`: of one CPU, each with an object in hand. */
  constructor(library: Library, kind: "plain" | "owned" = "plain", callsAtOnce = 1) {
    this.library = library;
    this.callsAtOnce = callsAtOnce;
    this.booted = bootCpus(library, this.cpus, 130, PAIRS);
    this.words = this.booted[0].arena.words;
    this.objects = new Ledger(this.cpus);
    this.blocks = new Ledger(this.cpus);
    this.pools = this.booted.map(({ allocators, memcgs }) => {
      const group = openGroup(memcgs, "group");
      return kind === "owned"
        ? allocators.openOwnedCache("objects", SIZE, "", group)
        : allocators.openMemCache("objects", SIZE, "", false, group);
    });
    this.gifts = this.booted.map(({ kmalloc }, cpu) => ({
      objects: allOf(() => this.pools[cpu].alloc()).slice(0, 3),
      blocks: (cpu === 0 ? [OBJECT_BYTES, LARGE_BYTES] : [OBJECT_BYTES]).map((bytes) => kmalloc.alloc(bytes)),
    }));
    this.settleGifts();
    this.calls = this.makeCalls();
    this.nested = [this.calls.alloc, this.calls.free, this.calls.freeRcu];
  }

  reset(): void {
    this.objects.reset();
    this.blocks.reset();
    this.gifts.forEach(({ objects, blocks }, cpu) => {
      for (const p of objects) this.objects.got(cpu, p);
      for (const p of blocks) this.blocks.got(cpu, p);
    });
  }

  fingerprint(cpu: number): number {
    return this.objects.fingerprint(cpu) * 31 + this.blocks.fingerprint(cpu);
  }

  /** Deaths are reaped, the others are told to poll, and it is quiet: then comes the audit. */
  quiesce(dead: readonly number[]): void {
    const survivor = reapDead(this.library, this.booted, dead);
    const system = this.booted[survivor];
    this.checkBooks(system, dead, auditTwice(this.library, system, dead));
    const { registry } = system;
    const isOpen = registry.find("objects") !== undefined && this.pools[survivor].isOpen;
    this.taken = isOpen ? allOf(() => this.pools[survivor].alloc()) : [];
  }

  finish(): void {
    checkDistinct(this.taken, this.objects.out);
  }

  /** Every invariant, and that no object is lost: neither of the pool, nor of slab. */
  private checkBooks(system: Booted, dead: readonly number[], { books }: AuditReport): void {
    checkSound(this.library, system);
    const inHand = dead.length * this.callsAtOnce;
    const live = system.allocators.list().find(({ name }) => name === "objects");
    if (live !== undefined && system.registry.isLive(live.ref))
      checkNoneLost(this.library, system, live, this.objects.out, inHand);
    if (live?.isOwned === true) this.checkOwners(system, live);
    const sum = books.listed + books.out + books.leaked;
    const { slabs } = this.library.inspect.stats(system);
    const used = (kind: RegExp) =>
      slabs.filter(({ name }) => kind.test(name)).reduce((total, slab) => total + slab.used, 0);
    if (used(/^memalloc|^owned/) !== sum)
      throw new Violation("leak", `slab counts ${used(/^memalloc|^owned/)} objects, ${sum} are known`);
    const small = this.blocks.out.filter((p) => p % 4096 !== 0 || !this.isBlock(system, p)).length;
    const unknown = used(/^kmalloc/) - small;
    if (unknown < 0 || unknown > inHand)
      throw new Violation("leak", `kmalloc: ${unknown} objects more than are held`);
  }

  /** Each that is out is somebody's: if only of a thread that died, of whom it can be reclaimed. */
  private checkOwners({ kmalloc }: Booted, pool: Allocator): void {
    const { OBJECT_OWNER, HEADER_WORDS, OWNED_WORDS } = this.library.cacheLayout;
    for (const p of this.library.memalloc.leakedObjects(kmalloc, pool)) {
      const node = p / 4 - HEADER_WORDS - OWNED_WORDS;
      if (this.words[node + OBJECT_OWNER] === 0) throw new Violation("leak", `object ${p} is nobody's`);
    }
  }

  private isBlock({ pages }: Booted, p: number): boolean {
    const { USE_KIND_MASK, USE_LARGE } = this.library.mmLayout;
    return (pages.use(p / 4096) & USE_KIND_MASK) === USE_LARGE;
  }

  /** Gifts are live: what was taken beyond them goes back. */
  private settleGifts(): void {
    const gifts = new Set(this.gifts.flatMap(({ objects }) => objects));
    const [{ allocators, kmalloc }] = this.booted;
    const [allocator] = allocators.list();
    for (const p of this.library.memalloc.leakedObjects(kmalloc, allocator))
      if (!gifts.has(p)) this.pools[0].free(p);
    pollUntilQuiet(this.library, this.booted);
  }

  private makeCalls(): Record<Name, Call> {
    const of = (run: (cpu: number, system: Booted) => unknown) => (cpu: number) =>
      Number(run(cpu, this.booted[cpu]) ?? 0);
    const { objects, blocks } = this;
    const frees = (ledger: Ledger, free: (cpu: number, p: number) => void) => ({
      begin: (cpu: number) => ledger.giveUp(cpu, 0),
      run: (cpu: number, p: number) => {
        if (p !== 0) free(cpu, p);
        return 0;
      },
    });
    const allocs = (ledger: Ledger, alloc: (cpu: number, system: Booted) => number) => ({
      run: of(alloc),
      done: (cpu: number, _argument: number, p: number) => {
        if (p !== 0) ledger.got(cpu, p);
      },
    });
    return {
      alloc: { name: "alloc", ...allocs(objects, (cpu) => this.pools[cpu].alloc()) },
      direct: { name: "direct", ...allocs(objects, (cpu) => this.allocNested(cpu)) },
      free: { name: "free", ...frees(objects, (cpu, p) => this.pools[cpu].free(p)) },
      freeRcu: { name: "freeRcu", ...frees(objects, (cpu, p) => this.pools[cpu].freeRcu(p)) },
      rawFree: { name: "rawFree", ...frees(objects, (cpu, p) => this.pools[cpu].rawFree(p)) },
      poll: { name: "poll", run: of((_cpu, system) => this.library.task.poll(system)) },
      kmalloc: { name: "kmalloc", ...allocs(blocks, (_cpu, { kmalloc }) => kmalloc.alloc(OBJECT_BYTES)) },
      block: { name: "block", ...allocs(blocks, (_cpu, { kmalloc }) => kmalloc.alloc(BLOCK_BYTES)) },
      kfree: { name: "kfree", ...frees(blocks, (cpu, p) => this.booted[cpu].kmalloc.free(p)) },
      flush: { name: "flush", run: of((_cpu, { kmalloc }) => kmalloc.flush()) },
      close: { name: "close", run: of((_cpu, { allocators }) => allocators.giveUpAll()) },
      open: { name: "open", run: of((_cpu, system) => this.openLate(system)) },
      destroy: {
        name: "destroy",
        run: of((_cpu, system) => {
          const found = system.allocators.list().find(({ name }) => name === "objects");
          return found === undefined ? 0 : tryDestroy(system, found);
        }),
      },
      drop: {
        name: "drop",
        run: of((_cpu, { memcgs }) => {
          const ref = memcgs.find("group");
          if (ref !== undefined) memcgs.drop(ref);
        }),
      },
    };
  }

  /** Straight from slab, as a nested alloc with GFP_KERNEL gets it. */
  private allocNested(cpu: number): number {
    const { GFP_KERNEL } = this.library.mm;
    return this.booted[cpu].cpu.nested(this.library.cpu.NMI_SHIFT, () =>
      this.pools[cpu].allocFlags(GFP_KERNEL),
    );
  }

  /** A group and an allocator of their own. */
  private openLate({ allocators, memcgs }: Booted): void {
    allocators.openMemCache("late", SIZE, "", false, openGroup(memcgs, "late"));
  }
}

function openGroup(memcgs: Memcgs, name: string) {
  return memcgs.open(
    name,
    Number.POSITIVE_INFINITY,
    memcgs.open("parent", Number.POSITIVE_INFINITY, undefined),
  );
}
