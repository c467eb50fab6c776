/**
 * Where nobody is told that a thread has ended (browsers), threads show that they are there: each holds a Web Lock named
 * after heap, CPU and generation, which its end, whatever that was, lets go. Who watches asks for the locks of
 * others now and then; what is granted was a dead thread's.
 *
 *     a thread    attaches; asks for its lock; is granted it, in some turn: its slot says so; ...
 *     that goes   gives its CPU back; lets the lock go
 *     a watcher   sees that the slot says so; asks, if nobody has it; has it: is that CPU still that generation's? Then
 *                 its thread is dead
 *
 * A CPU whose slot does not say so has a thread that has no lock yet, or cannot have one (AudioWorklet): nobody judges it. A
 * slot says which generation's lock it means, so what a former thread left says nothing. Nobody but watchers asks for the
 * lock of another thread, and they only once its own has it; two of them do not have it at the same time. A
 * thread that detaches in between has given its CPU back before the watcher gets the lock. Idle threads, and those that
 * were told to end and still run, have theirs.
 */
import type { Booted } from "./boot.ts";
import type { CpuInfo } from "./cpu/index.ts";
import { type Locks, later } from "./host.ts";

/** Pause between two looks. */
const LOOK_MS = 250;

/** The lock of one generation of a CPU. Heaps have ids, since all pages of an origin see the same locks. */
function lockName({ arena }: Booted, cpu: number, generation: number): string {
  return `sharedheap ${arena.id} CPU ${cpu} generation ${generation}`;
}

/** This thread's lock. */
export class Presence {
  private isOver = false;
  private letGo = (): void => {};

  /** Asks for it; it is granted in a later turn. */
  constructor(system: Booted, locks: Locks) {
    const { cpu, cpus } = system;
    const name = lockName(system, cpu.id, cpus.generationOf(cpu.id));
    // refused, on pages that may not have any: then nobody watches this thread
    locks.request(name, {}, () => this.hold(system)).catch(() => {});
  }

  private hold({ cpu, cpus }: Booted): Promise<void> | undefined {
    if (this.isOver) return undefined;
    cpus.sayWatched(cpu.id);
    return new Promise((resolve) => {
      this.letGo = resolve;
    });
  }

  /** The CPU has been given back. */
  end(): void {
    this.isOver = true;
    this.letGo();
  }
}

/** Watches all threads of a heap that hold a lock. */
export class PresenceWatch {
  private readonly system: Booted;
  private readonly locks: Locks;
  private readonly onDead: (cpu: CpuInfo) => void;
  private callOff = (): void => {};
  private isOver = false;

  /** `onDead` is called for CPUs whose thread is dead. It marks them, or a later look finds them again. */
  constructor(system: Booted, locks: Locks, onDead: (cpu: CpuInfo) => void) {
    this.system = system;
    this.locks = locks;
    this.onDead = onDead;
    this.arm();
  }

  end(): void {
    this.isOver = true;
    this.callOff();
  }

  /** As the slow timer of turns.ts: not even the heap is kept alive by it. */
  private arm(): void {
    if (this.isOver) return;
    const weak = new WeakRef(this);
    this.callOff = later(() => void weak.deref()?.look(), LOOK_MS);
  }

  private async look(): Promise<void> {
    const { cpu, cpus } = this.system;
    const others = cpus.list().filter((info) => info.cpu !== cpu.id);
    try {
      // a watcher may have ended between marking one and reaping it
      for (const info of others) if (info.state === "dead") this.onDead(info);
      await Promise.all(others.filter((info) => this.isWatched(info)).map((info) => this.ask(info)));
    } finally {
      this.arm();
    }
  }

  private isWatched({ cpu, generation }: CpuInfo): boolean {
    const { cpus } = this.system;
    return cpus.isOnline(cpu, generation) && cpus.isWatched(cpu, generation);
  }

  /** Takes the lock of a thread, if that has let it go. */
  private async ask(info: CpuInfo): Promise<void> {
    const name = lockName(this.system, info.cpu, info.generation);
    let isDead = false;
    const granted = (lock: unknown): void => {
      isDead = lock !== null && !this.isOver && this.isWatched(info);
    };
    await this.locks.request(name, { ifAvailable: true }, granted).catch(() => {});
    // it stays so: only this generation's own thread could have taken its CPU off it
    if (isDead && !this.isOver) this.onDead(info);
  }
}
