/**
 * Barriers: have all callbacks run that were given before? (The kernel's rcu_barrier.) Nothing is posted: a
 * barrier notes where each queue is and how many closures each thread has given, and looks again later.
 *
 * Progress: wait-free.
 */
import { fetchAdd, loadAcquire, storeRelease, type Words } from "#primitive";
import type { Cpus, PercpuAreas } from "../cpu/index.ts";
import type { Callbacks } from "./callbacks.ts";
import { LOCAL_CLOSURES_GIVEN, LOCAL_CLOSURES_RUN } from "./layout.ts";
import type { RcuPlace } from "./rcu.ts";

/** Which grace period: an index into what exists once for each. */
export type Flavour = 0 | 1;
export const RCU: Flavour = 0;
export const TRACE: Flavour = 1;

/** What a barrier waits for. */
export interface Barrier {
  readonly queues: readonly { readonly cpu: number; readonly kind: number; readonly mark: number }[];
  readonly closures: readonly { readonly cpu: number; readonly generation: number; readonly given: number }[];
  readonly flavour: Flavour;
}

export class Barriers {
  private readonly words: Words;
  private readonly cpus: Cpus;
  private readonly areas: PercpuAreas;
  private readonly local: number;
  private readonly own: number;
  private readonly cpu: number;
  private readonly generation: number;
  private readonly callbacks: Callbacks;

  constructor(place: RcuPlace, cpu: number, cpus: Cpus, areas: PercpuAreas, callbacks: Callbacks) {
    this.words = areas.words;
    this.cpus = cpus;
    this.areas = areas;
    this.local = place.local;
    this.own = areas.areaOf(cpu) + place.local;
    this.callbacks = callbacks;
    this.cpu = cpu;
    this.generation = cpus.generationOf(cpu);
    this.forget(RCU);
    this.forget(TRACE);
  }

  /** Closures that the CPU's last thread left are gone with it: nobody is to wait for them. */
  private forget(flavour: Flavour): void {
    const given = loadAcquire(this.words, this.own + LOCAL_CLOSURES_GIVEN + flavour);
    storeRelease(this.words, this.own + LOCAL_CLOSURES_RUN + flavour, given);
  }

  /** This thread keeps one more closure that waits for a grace period. Any context. */
  given(flavour: Flavour): void {
    fetchAdd(this.words, this.own + LOCAL_CLOSURES_GIVEN + flavour, 1);
  }

  /** One of them has run. Closures of one flavour run in the order in which they were given. */
  ran(flavour: Flavour): void {
    // it may have detached: then the words are the next thread's
    if (!this.cpus.isOnline(this.cpu, this.generation)) return;
    fetchAdd(this.words, this.own + LOCAL_CLOSURES_RUN + flavour, 1);
  }

  /** A barrier for what was given so far. Any context. */
  begin(flavour: Flavour): Barrier {
    const queues = [];
    const closures = [];
    for (let cpu = 0; cpu < this.cpus.used; cpu++) {
      for (const kind of this.callbacks.kindsOf(flavour === TRACE)) {
        queues.push({ cpu, kind, mark: this.callbacks.mark(cpu, kind) });
      }
      const given = loadAcquire(
        this.words,
        this.areas.areaOf(cpu) + this.local + LOCAL_CLOSURES_GIVEN + flavour,
      );
      closures.push({ cpu, generation: this.cpus.generationOf(cpu), given });
    }
    return { queues, closures, flavour };
  }

  /** True once all that has run. Closures of threads that are gone are gone. Any context. */
  isPast({ queues, closures, flavour }: Barrier): boolean {
    return (
      queues.every(({ cpu, kind, mark }) => this.callbacks.isPast(cpu, kind, mark)) &&
      closures.every(({ cpu, generation, given }) => {
        const ran = this.areas.areaOf(cpu) + this.local + LOCAL_CLOSURES_RUN + flavour;
        return !this.cpus.isOnline(cpu, generation) || ((loadAcquire(this.words, ran) - given) | 0) >= 0;
      })
    );
  }
}
