/**
 * Turns of this thread's event loop. While anything is pending a timer runs it, soon at first and then less
 * often; a slow one looks whether other threads have left something and are blocked. Neither keeps a process
 * alive, and the slow one not even the heap. Where there are no timers (AudioWorklet) nothing happens: the
 * program polls.
 */

/** A timer as Node has it; in browsers it is a number, and never keeps anything alive. */
interface NodeTimer {
  unref?(): void;
}

/** Longest pause between turns while something is pending. */
const MAX_PAUSE_MS = 16;
/** Pause between looks at what other threads left. */
const WATCH_MS = 100;

export class Turns {
  private readonly run: () => boolean;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = 0;
  private isPending = false;
  private isWatching = false;
  private isStopped = typeof setTimeout === "undefined";

  /** `run` does what is pending and returns true if something still is. */
  constructor(run: () => boolean) {
    this.run = run;
  }

  /** Something is pending: a turn runs it soon. Any context. */
  readonly wake = (): void => {
    if (this.isPending || this.isStopped) return;
    this.isPending = true;
    this.arm(() => this.turn(), 0);
  };

  /** From here on what other threads leave is looked after too. */
  watch(): void {
    this.isWatching = true;
    this.rest();
  }

  /** No more turns: the thread detaches. */
  stop(): void {
    this.isStopped = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
  }

  private turn(): void {
    this.isPending = false; // what is raised from here on gets a turn of its own
    let isLeft = true;
    try {
      isLeft = this.run();
    } finally {
      if (!this.isPending) this.again(isLeft);
    }
  }

  private again(isLeft: boolean): void {
    if (!isLeft) {
      this.rest();
      return;
    }
    this.isPending = true;
    this.pause = Math.min(this.pause * 2 || 1, MAX_PAUSE_MS);
    this.arm(() => this.turn(), this.pause);
  }

  /** Nothing is pending here. */
  private rest(): void {
    this.pause = 0;
    if (!this.isWatching) return;
    const weak = new WeakRef(this);
    this.arm(() => weak.deref()?.turn(), WATCH_MS);
  }

  private arm(fn: () => void, ms: number): void {
    if (this.isStopped) return;
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = setTimeout(fn, ms);
    (this.timer as NodeTimer).unref?.();
  }
}
