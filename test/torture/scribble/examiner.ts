/** Scribbles into heaps and looks at what the library says of them. */
import assert from "node:assert/strict";
import type { SharedHeap } from "sharedheap";
import type { Booted } from "#src/boot.js";
import { randomFrom } from "../../support/random.ts";
import type { Library } from "../rcu/library.ts";
import { BYTES, type Contents, makeContents } from "./contents.ts";
import { HEAPS_OF_ONE_KIND, type Tally } from "./job.ts";
import { type Places, placesOf } from "./places.ts";
import { scribble } from "./scribbler.ts";
import { type Limits, watch } from "./watch.ts";

/** No call reads more words than so many times the heap's. */
export const MAX_READS_PER_WORD = 2;
/** What attaching to a heap that was scribbled into may say. */
const ATTACH_CODES = ["not-a-heap", "version", "geometry", "full"];
/** One heap in so many has its statistics read too; to one in so many a thread attaches. */
const STATS_SHARE = 3;
const ATTACH_SHARE = 2;
const MAX_PROBLEMS = 100;

export class Examiner {
  private readonly watched: Library;
  private readonly shipped: Library;
  private readonly tally: Tally;
  private kind = -1;
  /** The heap as it was before it was looked at. */
  private readonly scribbled = Buffer.alloc(BYTES);
  private contents: Contents | undefined;
  private places: Places | undefined;

  /** `watched` runs under the condition `check`; `shipped` is what programs get. */
  constructor(watched: Library, shipped: Library, tally: Tally) {
    this.watched = watched;
    this.shipped = shipped;
    this.tally = tally;
  }

  /** One heap. Throws if anything is not as it must be. */
  examine(seed: number): void {
    const contents = this.contentsOf(Math.floor(seed / HEAPS_OF_ONE_KIND));
    const { heap, other, whole } = contents;
    heap.i32.set(whole);
    this.tally.heaps++;
    this.tally.words += scribble(heap.i32, this.places as Places, randomFrom(seed ^ 0x5bd1e995));
    this.scribbled.set(heap.u8);
    this.look(heap, other, seed);
    assert.ok(this.scribbled.equals(heap.u8), "who only looked has written something");
    if (seed % ATTACH_SHARE === 0) this.attach(contents);
  }

  private contentsOf(kind: number): Contents {
    if (this.kind === kind) return this.contents as Contents;
    const contents = makeContents(this.watched, this.shipped, randomFrom(kind));
    const problems = contents.heap.verify();
    if (contents.isQuiet) assert.deepEqual(problems, [], "before anything was overwritten");
    this.contents = contents;
    this.places = placesOf(contents.system, contents.whole);
    this.kind = kind;
    return contents;
  }

  private look(heap: SharedHeap, other: SharedHeap, seed: number): void {
    const limits = { words: heap.i32, mayWrite: false };
    const problems = this.see("verify()", limits, () => heap.verify());
    assert.ok(
      problems.length <= MAX_PROBLEMS && problems.every((problem) => /^\w+.*: ./.test(problem)),
      `${problems}`,
    );
    if (problems.length > 0) this.tally.reported++;
    assert.deepEqual(other.verify(), problems, "the shipped library reports other problems");
    if (seed % STATS_SHARE !== 0) return;
    this.see("stats()", limits, () => heap.stats());
    other.stats();
  }

  /** Whoever gets in finds the same mess, and knows how large it is. */
  private attach({ heap, system }: Contents): void {
    const { SharedHeap, SharedHeapError } = this.watched;
    const { words, geometry } = system.arena;
    const limits = { words, mayWrite: true, maxReads: words.length };
    const { result, error } = watch(limits, () => SharedHeap.attach(heap.token, { turns: false }));
    const code = error instanceof SharedHeapError ? error.code : "";
    if (result === undefined && !ATTACH_CODES.includes(code)) throw error;
    const ending = result === undefined ? code : "attached";
    this.tally.attaches[ending] = (this.tally.attaches[ending] ?? 0) + 1;
    if (result === undefined) return;
    const { arena } = (result as unknown as { booted: Booted }).booted;
    assert.deepEqual(arena.geometry, geometry, "who attached has another idea of the heap");
    this.see("verify() of who attached", { words, mayWrite: false }, () => result.verify());
    this.see("stats() of who attached", { words, mayWrite: false }, () => result.stats());
  }

  private see<T>(what: string, limits: Omit<Limits, "maxReads">, call: () => T): T {
    const maxReads = MAX_READS_PER_WORD * limits.words.length;
    const { result, error, reads } = watch({ ...limits, maxReads }, call);
    this.tally.mostReads = Math.max(this.tally.mostReads, reads / limits.words.length);
    if (result !== undefined) return result;
    throw new Error(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
