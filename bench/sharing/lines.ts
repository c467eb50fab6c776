/**
 * Which CPU has which line of memory in its cache, as far as coherence goes: a line is with several CPUs as long as they
 * read it, and with one once that has written. Caches have room for everything.
 */
import { mayWrite, type Op, ZERO } from "../../check/engine/operations.ts";
import { type Performer, performNow, type Words } from "../../check/engine/primitive.ts";
import { Causes } from "./causes.ts";
import type { Transfers } from "./run.ts";

const LINE_SHIFT = 4;

/** Names what lies at a word. */
interface Names {
  nameOf(word: number): string;
}

export class Lines implements Performer {
  /** Whose accesses these are, from here on. */
  cpu = 0;
  private readonly words: Words;
  private readonly places: Names;
  /** Line -> the CPUs that have it, a bit each. */
  private readonly holders: Int32Array;
  private readonly causes: Causes;
  private counts: Map<string, Transfers> | undefined;

  constructor(words: Words, cpus: number, places: Names) {
    this.words = words;
    this.places = places;
    this.holders = new Int32Array(Math.ceil(words.length / (1 << LINE_SHIFT)));
    this.causes = new Causes(words.length, cpus, LINE_SHIFT);
  }

  /** From here on transfers are counted, by the names of places. */
  count(): Map<string, Transfers> {
    this.counts = new Map();
    return this.counts;
  }

  access(op: Op, at: number, a: number, b: number): number {
    if (at >= 0 && at < this.words.length) this.touch(op, at, op === ZERO ? a : 1);
    return performNow(this.words, op, at, a, b);
  }

  /** This CPU reads or writes words. (A CAS that fails takes the line as well.) */
  touch(op: Op, at: number, count: number): void {
    const isWrite = mayWrite(op);
    for (let word = at; word < at + count; word++) {
      this.touchLine(isWrite, word);
      this.causes.note(this.cpu, isWrite, word);
    }
  }

  private touchLine(isWrite: boolean, word: number): void {
    const line = word >>> LINE_SHIFT;
    const own = 1 << this.cpu;
    const holders = this.holders[line];
    const isHeld = isWrite ? holders === own : (holders & own) !== 0;
    if (isHeld) return;
    this.holders[line] = isWrite ? own : holders | own;
    if ((holders & ~own) !== 0 && this.counts !== undefined) this.note(this.counts, isWrite, word);
  }

  private note(counts: Map<string, Transfers>, isWrite: boolean, word: number): void {
    const place = this.places.nameOf(word);
    let count = counts.get(place);
    if (count === undefined) {
      count = { reads: 0, writes: 0, apart: 0 };
      counts.set(place, count);
    }
    if (isWrite) count.writes++;
    else count.reads++;
    if (this.causes.isApart(this.cpu, isWrite, word)) count.apart++;
  }
}
