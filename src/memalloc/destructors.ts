/**
 * Destructors: what is done to an object before it goes back to slab. A name stands for it in the heap, and
 * each thread that may run it says what the name means there: nothing shared holds a closure.
 */
import { checkFunction, checkName, type Directory } from "../arena/index.ts";
import { KIND_DESTRUCTOR } from "../arena/layout.ts";

/** Called with the offset of an object that nobody sees any more. */
export type Destructor = (p: number) => void;

/** Calls one. */
export type Around = (destroy: () => void) => void;

export class Destructors {
  /** What calls them, for a thread that must get through, whatever they throw. */
  around: Around | undefined;
  private readonly directory: Directory;
  /** Filled in by the program, as it starts: no state of the heap. */
  private readonly known: Map<number, Destructor>;

  constructor(directory: Directory, known = new Map<number, Destructor>()) {
    this.directory = directory;
    this.known = known;
  }

  /** The same ones, called by `around`. */
  through(around: Around): Destructors {
    const same = new Destructors(this.directory, this.known);
    same.around = around;
    return same;
  }

  /** From here on this thread runs `fn` for the destructor of that name. Errors: `bad-name`, `bad-option`, `limit`. */
  register(name: string, fn: Destructor): void {
    checkName(name);
    checkFunction(`the destructor "${name}"`, fn);
    this.known.set(this.record(name), fn);
  }

  /** The record that stands for a name, or -1: nobody has taken one for it. Errors: `bad-name`. */
  find(name: string): number {
    return this.directory.find(KIND_DESTRUCTOR, checkName(name)) || -1;
  }

  /** The record that stands for a name, made if need be. Errors: `bad-name`, `limit`. */
  record(name: string): number {
    return this.directory.findOrMake(KIND_DESTRUCTOR, checkName(name));
  }

  /** True if this thread was told of any. */
  get areKnown(): boolean {
    return this.known.size > 0;
  }

  /** What this thread does for a record; undefined if it was not told. */
  get(record: number): Destructor | undefined {
    const { around } = this;
    const destroy = this.known.get(record);
    return destroy && around ? (p) => around(() => destroy(p)) : destroy;
  }
}
