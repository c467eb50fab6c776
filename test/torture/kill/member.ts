/** One thread's tools: what its activities are made of. Nothing here is Node's alone: browsers run it too. */
import type { SharedHeap } from "sharedheap";
import { randomFrom } from "../../support/random.ts";
import type { Library } from "../rcu/library.ts";
import { ACTIVITIES, chooseActivity, WORK } from "./activities.ts";
import { Board } from "./board.ts";
import { Holder, type OnCall } from "./holder.ts";
import type { Job } from "./job.ts";
import { Journal } from "./journal.ts";
import { Own } from "./own.ts";

/** What its host does for a thread. */
export interface Host {
  /** Resolves in a later turn of the event loop. */
  readonly turn: () => Promise<unknown>;
  readonly onCall: OnCall;
  /** True if the thread must keep its CPU: its end is not noticed for a moment after it has attached. */
  readonly stays: boolean;
}

export class Member {
  readonly board: Board;
  readonly journal: Journal;
  readonly random: (below: number) => number;
  readonly own: Own;
  heap: SharedHeap;
  holder: Holder;
  readonly turn: () => Promise<unknown>;
  private readonly stays: boolean;
  private readonly library: Library;
  private readonly name: string;
  private readonly onCall: OnCall;

  constructor(library: Library, { token, thread, seed, journal, board }: Job, role: string, host: Host) {
    this.library = library;
    this.turn = host.turn;
    this.stays = host.stays;
    this.onCall = host.onCall;
    this.board = new Board(board);
    this.journal = new Journal(journal);
    this.random = randomFrom(seed);
    this.own = new Own(thread, this.journal, this.random);
    this.name = `${role} ${thread}`;
    this.heap = this.attach(token);
    this.holder = this.newHolder();
  }

  /** Does one thing. */
  async act(): Promise<void> {
    const activity = chooseActivity(this.random);
    this.journal.activity = activity;
    await ACTIVITIES[activity].run(this);
  }

  /** Does one thing that is over when this returns. */
  actAtOnce(): void {
    this.journal.activity = WORK;
    ACTIVITIES[WORK].run(this);
    this.repeat(60, () => this.holder.handOver());
  }

  /** Up to `most` times. */
  repeat(most: number, step: () => void): void {
    for (let i = this.random(most); i >= 0; i--) step();
  }

  reattach(): void {
    if (this.stays) return;
    const { token } = this.heap;
    this.holder.disown();
    this.journal.detaches();
    this.heap.detach();
    this.heap = this.attach(token);
    this.holder = this.newHolder();
  }

  private attach(token: Job["token"]): SharedHeap {
    const heap = this.library.SharedHeap.attach(token, { name: this.name });
    this.journal.attached(heap.cpu, heap.cpus()[heap.cpu].generation);
    return heap;
  }

  private newHolder(): Holder {
    return new Holder(this.heap, this.journal, this.board, this.random, this.onCall);
  }
}
