/**
 * Small heaps with something of everything in them: allocators of all kinds on CPUs in all modes, groups, slab caches of the
 * program's, per-CPU objects, large blocks, sections that are open and chains that wait for them, allocators on their way out,
 * CPUs that left. From a seed.
 */
import type { SharedHeap } from "sharedheap";
import type { Booted } from "#src/boot.js";
import type { Library } from "../rcu/library.ts";
import { type Kind, kindsOf, type Random } from "./kinds.ts";

/** A heap as it was before anything was scribbled into it. */
export interface Contents {
  /** One of its CPUs, and that CPU's layers. */
  readonly heap: SharedHeap;
  readonly system: Booted;
  /** Another of its CPUs, by the other library. */
  readonly other: SharedHeap;
  readonly whole: Int32Array;
  /** No call was under way: all invariants hold. */
  readonly isQuiet: boolean;
}

export const BYTES = 1024 * 1024;
const MAX_CPUS = 6;
const MODES = ["inline", "turn", "kthread", "inline"] as const;
const STEPS = 400;
/** One heap in so many is taken in the middle of an operation. */
const NESTED_SHARE = 6;

/** `library` makes the heap, and all CPUs of it but one: that is `other`'s. */
export function makeContents(library: Library, other: Library, random: Random): Contents {
  const heap = library.SharedHeap.create({
    bytes: BYTES,
    maxCpus: MAX_CPUS,
    maxNames: 24 + random(40),
    traceImpliesRcu: random(4) !== 0,
    turns: false,
    name: "first",
  });
  const cpus = MODES.map((irqWork, i) =>
    i === 0 ? heap : library.SharedHeap.attach(heap.token, { irqWork, turns: false, name: `cpu ${i}` }),
  );
  const another = other.SharedHeap.attach(heap.token, { turns: false });
  const picture = random(NESTED_SHARE) === 0 ? pictureIn(heap, random) : () => undefined;
  new Filler(cpus, random).fill();
  const nested = picture();
  const { booted } = heap as unknown as { booted: Booted };
  const whole = nested ?? heap.i32.slice();
  heap.i32.set(whole);
  return { heap, system: booted, other: another, whole, isQuiet: nested === undefined };
}

/** Takes a copy of the heap in the middle of some operation. Returns what gives it, if there was one. */
function pictureIn(heap: SharedHeap, random: Random): () => Int32Array | undefined {
  const points = ["slab:new", "slab:alloc", "slab:free", "memalloc:refill", "memalloc:trim"] as const;
  let left = 1 + random(40);
  let picture: Int32Array | undefined;
  const off = heap.tracepoints.on(points[random(points.length)], () => {
    if (--left === 0) picture = heap.i32.slice();
  });
  return () => {
    off();
    return picture;
  };
}

/** An object that is out. */
interface Held {
  readonly kind: Kind;
  readonly p: number;
}

class Filler {
  private readonly cpus: readonly SharedHeap[];
  private readonly random: Random;
  private readonly kinds: readonly Kind[];
  private readonly held: Held[] = [];

  constructor(cpus: readonly SharedHeap[], random: Random) {
    this.cpus = cpus;
    this.random = random;
    this.kinds = kindsOf(cpus, random);
  }

  fill(): void {
    const readersFrom = this.random(STEPS);
    for (let step = 0; step < STEPS; step++) {
      if (step === readersFrom) this.openSections();
      this.operate();
    }
    this.end();
  }

  private operate(): void {
    const dice = this.random(100);
    if (dice < 55) this.alloc();
    else if (dice < 94) this.free();
    else if (dice < 97) this.anyCpu().context.nmi(() => this.free());
    else this.anyCpu().poll();
  }

  private alloc(): void {
    const kind = this.kinds[this.random(this.kinds.length)];
    const p = kind.alloc(this.random(this.cpus.length));
    if (p !== 0) this.held.push({ kind, p });
  }

  private free(): void {
    if (this.held.length === 0) return;
    const at = this.random(this.held.length);
    const { kind, p } = this.held[at];
    this.held[at] = this.held[this.held.length - 1];
    this.held.pop();
    kind.free(this.random(this.cpus.length), p);
  }

  /** From here on what is freed with freeRcu waits. */
  private openSections(): void {
    if (this.random(3) !== 0) this.cpus[1].rcu.readLock();
    if (this.random(3) !== 0) this.cpus[0].rcu.tasksTrace.lock();
  }

  /** Things that are on their way out. */
  private end(): void {
    const [first] = this.cpus;
    const last = this.cpus[this.cpus.length - 1];
    const end = this.kinds[this.random(this.kinds.length)].end;
    if (this.random(2) === 0) end?.();
    const dice = this.random(4);
    if (dice < 2) last.detach();
    if (dice === 2) {
      // as if its thread had ended without a word
      const { cpus } = (first as unknown as { booted: Booted }).booted;
      cpus.markDead(last.cpu, cpus.generationOf(last.cpu));
    }
    for (let polls = this.random(4); polls > 0; polls--) first.poll();
  }

  private anyCpu(): SharedHeap {
    return this.cpus[this.random(this.cpus.length)];
  }
}
