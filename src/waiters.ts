/**
 * What this thread waits for: closures to be run after grace periods, and promises. They are kept here, in
 * JavaScript, since nothing shared can hold them, and die with their thread.
 */
interface Waiter {
  /** Drives what it waits for on; true once that is over. */
  readonly isOver: () => boolean;
  readonly fn: () => void;
}

export class Waiters {
  private waiting: Waiter[] = [];
  private readonly wake: () => void;
  private isStopped = false;

  /** `wake` is called when there is something to poll for. */
  constructor(wake: () => void) {
    this.wake = wake;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Runs `fn` in a poll that finds `isOver`; in the order given, for those that are over. */
  add(isOver: () => boolean, fn: () => void): void {
    this.waiting.push({ isOver, fn });
    this.wake();
  }

  /** What waits is given up: the thread detaches. */
  stop(): void {
    this.isStopped = true;
    this.waiting = [];
  }

  /** Runs what is over. If a closure throws, it has run, and those after it are left to the next poll. */
  poll(): void {
    if (this.isEmpty) return; // without new arrays: threads in real time poll
    const looked = this.waiting;
    this.waiting = [];
    let at = 0;
    try {
      // one of them may detach
      for (; at < looked.length && !this.isStopped; at++) {
        if (looked[at].isOver()) looked[at].fn();
        else this.waiting.push(looked[at]);
      }
    } finally {
      // closures that ran may have added some; one that threw is left out
      if (!this.isStopped) this.waiting.push(...looked.slice(at + 1));
    }
  }
}
