/** Which read sections are open: begun and ended by their thread, looked for by those that free. */
import { ASYNC_READERS, type Control } from "./control.ts";

/** Index of a section word; 0 for none. */
export type Section = number;

export class Sections {
  private readonly control: Control;
  private readonly words: Int32Array;
  private readonly thread: number;
  private turn = 0;

  /** `thread`: this one. */
  constructor(control: Control, thread: number) {
    this.control = control;
    this.words = control.words;
    this.thread = thread;
  }

  /** The section has just begun. */
  begun(word: Section): void {
    Atomics.add(this.words, word, 1);
  }

  /** The section is about to end. */
  ends(word: Section): void {
    Atomics.add(this.words, word, 1);
  }

  /** Which section of that word is open, or was last: a number that stays the same until it ends. */
  number(word: Section): number {
    return Atomics.load(this.words, word);
  }

  /** True if that very section is still open. */
  isOpen(word: Section, number: number): boolean {
    return word !== 0 && (number & 1) === 1 && Atomics.load(this.words, word) === number;
  }

  /** A synchronous section that is open now: another thread's rather than this one's. */
  findSync(): Section {
    const { threads } = this.control;
    for (let i = 0; i < threads; i++) {
      const other = (this.thread + 1 + ((this.turn + i) % threads)) % threads;
      if (other !== this.thread && this.isOdd(this.control.syncWord(other)))
        return this.control.syncWord(other);
    }
    const own = this.control.syncWord(this.thread);
    return this.isOdd(own) ? own : 0;
  }

  /** An async section that is open now on one of the threads, a different one each time. */
  findAsync(): Section {
    this.turn = (this.turn + 1) % this.control.threads;
    for (let reader = 0; reader < ASYNC_READERS; reader++) {
      const word = this.control.asyncWord(this.turn, reader);
      if (this.isOdd(word)) return word;
    }
    return 0;
  }

  isOfAnotherThread(word: Section): boolean {
    return word !== 0 && word !== this.control.syncWord(this.thread);
  }

  describe(word: Section): string {
    return this.control.describe(word);
  }

  private isOdd(word: Section): boolean {
    return (Atomics.load(this.words, word) & 1) === 1;
  }
}
