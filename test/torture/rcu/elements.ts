/**
 * Elements: what their words say, and the checks of it.
 *
 *     TYPE        address and type mixed: the same for all elements that are ever made there of that type
 *     GENERATION  different in each element
 *     STATE       whether it is in use, and how it was freed
 *     witnesses   a synchronous and an async section that were open when it was freed, and their numbers
 *     SEAL        follows from state and witnesses: shows that they are what was written there
 *     body        words that follow from the generation
 *
 * The allocators leave a free element's words alone, and zero memory that comes from slab. So whoever gets
 * memory that was an element can tell whether a section that was open when it was freed still is. That
 * finds an early reuse whether or not a reader looks at just this element.
 */
import type { Tally } from "./counters.ts";
import { TYPES, type Type } from "./kinds.ts";
import type { Sections } from "./sections.ts";

const TYPE = 0;
const GENERATION = 1;
const STATE = 2;
/** Section word and number, twice. */
const SYNC_WITNESS = 3;
const ASYNC_WITNESS = 5;
const SEAL = 7;
const BODY = 8;

/** In use. Then unlinked: it will be freed after a grace period; or freed. */
const LIVE = 1;
export const UNLINKED = 2;
export const FREED_RCU = 3;
export const FREED = 4;

export class Elements {
  private readonly words: Int32Array;
  private readonly sections: Sections;
  private readonly tally: Tally;

  constructor(words: Int32Array, sections: Sections, tally: Tally) {
    this.words = words;
    this.sections = sections;
    this.tally = tally;
  }

  /** An allocator handed out `p`: checks what was there, and makes it an element. */
  make(p: number, type: Type, generation: number): void {
    const was = this.load(p, TYPE);
    if (was === typeWord(p, type)) this.checkReuse(p, type);
    else if (was !== 0) this.fail(p, type, `handed out with a type word of ${was}: memory of something else`);
    this.store(p, TYPE, typeWord(p, type));
    this.store(p, GENERATION, generation);
    this.store(p, STATE, LIVE);
    this.store(p, SEAL, this.seal(p));
    for (let word = BODY; word < type.bytes >>> 2; word++) this.store(p, word, bodyWord(generation, word));
  }

  /** The element is about to be freed, or has been unlinked: from here on open sections count. */
  mark(p: number, state: number): void {
    this.noteWitness(p, SYNC_WITNESS, this.sections.findSync());
    this.noteWitness(p, ASYNC_WITNESS, this.sections.findAsync());
    this.store(p, STATE, state);
    this.store(p, SEAL, this.seal(p));
  }

  /** A grace period since `mark` has ended. From here on nobody who may see the element's words is there. */
  expire(p: number, type: Type, reclaim: "rcu" | "trace"): void {
    const witness = reclaim === "rcu" ? SYNC_WITNESS : ASYNC_WITNESS;
    const section = this.openWitness(p, witness);
    if (section !== "") this.fail(p, type, `unlinked in ${section}, whose grace period ended before it did`);
    this.store(p, GENERATION, -1);
  }

  generation(p: number): number {
    return this.load(p, GENERATION);
  }

  /** What readers of any kind may rely on. */
  checkType(p: number, type: Type): void {
    const word = this.load(p, TYPE);
    if (word !== typeWord(p, type)) this.fail(p, type, `has a type word of ${word} inside a read section`);
  }

  /** What a reader of the right kind may rely on: the element is what it was. */
  checkSame(p: number, type: Type, generation: number): void {
    this.checkType(p, type);
    const now = this.load(p, GENERATION);
    if (now !== generation)
      this.fail(p, type, `generation ${generation} became ${now} inside a read section`);
    const state = this.load(p, STATE);
    if (state !== LIVE && state !== UNLINKED && state !== FREED_RCU)
      this.fail(p, type, `of generation ${generation} came to state ${state} inside a read section`);
    this.checkBody(p, type, generation, BODY);
    this.checkBody(p, type, generation, (type.bytes >>> 2) - 1);
  }

  /** kmalloc handed out a block: no element that may still be seen may have been there. */
  checkBlock(block: number, bytes: number): void {
    const p = block + 8;
    const type = TYPES.find((each) => each.bytes + 8 === bytes && this.load(p, TYPE) === typeWord(p, each));
    // a page may have been cut into smaller objects in between, whose links destroy some words and not others
    if (type === undefined || this.load(p, SEAL) !== this.seal(p)) return;
    const state = this.load(p, STATE);
    if (state !== FREED_RCU && state !== FREED) this.fail(p, type, `is in state ${state}, and back in slab`);
    for (const witness of [SYNC_WITNESS, ASYNC_WITNESS]) {
      const section = this.openWitness(p, witness);
      if (section !== "") this.fail(p, type, `freed in ${section}, was back in slab before that ended`);
    }
    this.tally.add("throughSlab");
    if ((this.load(p, SYNC_WITNESS) | this.load(p, ASYNC_WITNESS)) !== 0)
      this.tally.add("throughSlabUnderReader");
  }

  private checkReuse(p: number, type: Type): void {
    if (this.load(p, SEAL) !== this.seal(p)) this.fail(p, type, "was written to while it was free");
    const state = this.load(p, STATE);
    if (state === FREED) return;
    if (state !== FREED_RCU)
      this.fail(p, type, `was handed out again in state ${state}: nobody had freed it`);
    const section = this.openWitness(p, SYNC_WITNESS);
    if (section !== "") this.fail(p, type, `freed with freeRcu in ${section}, was reused before that ended`);
    this.tally.add("reused");
    if (this.sections.isOfAnotherThread(this.load(p, SYNC_WITNESS))) this.tally.add("reusedUnderReader");
  }

  private checkBody(p: number, type: Type, generation: number, word: number): void {
    const value = this.load(p, word);
    if (value !== bodyWord(generation, word))
      this.fail(p, type, `of generation ${generation}: word ${word} became ${value} inside a read section`);
  }

  private seal(p: number): number {
    let seal = p;
    for (let word = STATE; word < SEAL; word++) seal = Math.imul(seal ^ this.load(p, word), 0x85ebca6b);
    return seal | 1;
  }

  private noteWitness(p: number, witness: number, section: number): void {
    const number = section === 0 ? 0 : this.sections.number(section);
    // it may have ended in between: then it is no witness
    this.store(p, witness, (number & 1) === 1 ? section : 0);
    this.store(p, witness + 1, number);
  }

  /** The witness, if it is still open; "" if not. */
  private openWitness(p: number, witness: number): string {
    const section = this.load(p, witness);
    const number = this.load(p, witness + 1);
    return this.sections.isOpen(section, number) ? `${this.sections.describe(section)} ${number}` : "";
  }

  private fail(p: number, type: Type, what: string): never {
    throw new Error(`element at ${p} (${type.name}): ${what}`);
  }

  private load(p: number, word: number): number {
    return Atomics.load(this.words, (p >>> 2) + word);
  }

  private store(p: number, word: number, value: number): void {
    Atomics.store(this.words, (p >>> 2) + word, value);
  }
}

function typeWord(p: number, { mark }: Type): number {
  return Math.imul(p, 0x9e3779b1) ^ mark;
}

function bodyWord(generation: number, word: number): number {
  return Math.imul(generation, 2 * word + 1) ^ word;
}
