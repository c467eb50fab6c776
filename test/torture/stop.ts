/** Words that the threads of a torture share with its starter, outside the heap. The first one says when it is over. */

/** Not 0 once all are to come to an end. */
const STOP = 0;

export class Stop {
  readonly words: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
  }

  get isStopped(): boolean {
    return Atomics.load(this.words, STOP) !== 0;
  }

  stop(): void {
    Atomics.store(this.words, STOP, 1);
    Atomics.notify(this.words, STOP);
  }

  /** Does nothing for so long, or until it is over. */
  block(ms: number): void {
    Atomics.wait(this.words, STOP, 0, ms);
  }
}
