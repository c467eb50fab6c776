/** Closures given to heap.rcu.call, and barriers that must not end before they have run, on whichever thread. */
import type { Access } from "./access.ts";
import type { Control } from "./control.ts";
import type { Tally } from "./counters.ts";

const FLAVOURS = [0, 1] as const;
type Flavour = (typeof FLAVOURS)[number];

/** Rounds of a closure that takes its time, so that what it has not done yet can be seen to be missing. */
const SLOW_ROUNDS = 1_000_000;

/** What a thread had given when a barrier began. */
interface Given {
  readonly thread: number;
  readonly incarnation: number;
  readonly count: number;
}

export class Closures {
  private readonly access: Access;
  private readonly control: Control;
  private readonly tally: Tally;
  private readonly thread: number;
  private readonly given = [0, 0];
  /** All before this number have run; and those after it that have. */
  private readonly run = [0, 0];
  private readonly early = FLAVOURS.map(() => new Set<number>());
  private barriers = 0;

  constructor(access: Access, control: Control, tally: Tally, thread: number) {
    this.access = access;
    this.control = control;
    this.tally = tally;
    this.thread = thread;
  }

  /** True if no barrier is under way. */
  get isEmpty(): boolean {
    return this.barriers === 0;
  }

  give(flavour: Flavour, isSlow: boolean): void {
    const number = this.given[flavour]++;
    this.periods(flavour).call(() => {
      if (isSlow) spin(SLOW_ROUNDS);
      this.ran(flavour, number);
    });
    Atomics.store(this.control.words, this.control.givenWord(this.thread, flavour), this.given[flavour]);
  }

  /** Begins a barrier, and checks when it ends what all threads have run by then. */
  async barrier(flavour: Flavour): Promise<void> {
    this.barriers++;
    const given = Array.from({ length: this.control.threads }, (_, thread) => this.look(thread, flavour));
    await this.periods(flavour).barrier();
    for (const one of given) this.check(one, flavour);
    this.tally.add("barriers");
    this.barriers--;
  }

  /** Before a detach: closures that have not run are lost from here on, and no barrier waits for them. */
  leave(): void {
    Atomics.add(this.control.words, this.control.incarnationWord(this.thread), 1);
  }

  /** After the next attach. */
  come(): void {
    for (const flavour of FLAVOURS) {
      this.early[flavour].clear();
      this.run[flavour] = this.given[flavour];
      this.publish(flavour);
    }
    Atomics.add(this.control.words, this.control.incarnationWord(this.thread), 1);
  }

  private ran(flavour: Flavour, number: number): void {
    this.early[flavour].add(number);
    while (this.early[flavour].delete(this.run[flavour])) this.run[flavour]++;
    this.publish(flavour);
    this.tally.add("callbacks");
  }

  private publish(flavour: Flavour): void {
    Atomics.store(this.control.words, this.control.runWord(this.thread, flavour), this.run[flavour]);
  }

  private look(thread: number, flavour: Flavour): Given {
    const { words } = this.control;
    const incarnation = Atomics.load(words, this.control.incarnationWord(thread));
    return { thread, incarnation, count: Atomics.load(words, this.control.givenWord(thread, flavour)) };
  }

  private check({ thread, incarnation, count }: Given, flavour: Flavour): void {
    const { words } = this.control;
    const run = Atomics.load(words, this.control.runWord(thread, flavour));
    if (run >= count || (incarnation & 1) === 1) return;
    if (Atomics.load(words, this.control.incarnationWord(thread)) !== incarnation) return;
    throw new Error(
      `${flavour === 0 ? "rcu" : "tasks trace"}: a barrier ended on thread ${this.thread} when thread ${thread} ` +
        `had run the closures before number ${run}; ${count} were given before it began`,
    );
  }

  private periods(flavour: Flavour) {
    const { rcu } = this.access.heap;
    return flavour === 0 ? rcu : rcu.tasksTrace;
  }
}

function spin(rounds: number): number {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum = Math.imul(sum, 31) + i;
  return sum;
}
