/** Litmus tests: programs of a few steps whose possible outcomes are known. */
import {
  cmpxchg,
  loadAcquire,
  readPrivate,
  storeRelease,
  writePrivate,
} from "../../check/engine/primitive.ts";
import type { Call, Prepared } from "../../check/engine/scenario.ts";
import { Violation } from "../../check/engine/violation.ts";

const X = 1;
const Y = 2;

/** What a call does; it returns a number. */
export type Body = (words: Int32Array) => number;

/** A CPU for each list of calls; collects what the CPUs' last calls return, and two words. */
export class Litmus implements Prepared {
  readonly words = new Int32Array(64);
  readonly cpus: number;
  nested: readonly Call[] = [];
  readonly program: Call[][];
  readonly outcomes = new Set<string>();
  protected results: number[] = [];

  constructor(...bodies: readonly (Body | readonly Body[])[]) {
    this.cpus = bodies.length;
    this.program = bodies.map((calls, cpu) => [calls].flat().map((run, i) => this.call(`${cpu}.${i}`, run)));
  }

  protected call(name: string, body: Body): Call {
    return {
      name,
      run: () => body(this.words),
      done: (cpu: number, _argument: number, result: number) => {
        this.results[cpu] = result;
      },
    };
  }

  reset(): void {
    this.results = [];
  }

  fingerprint(cpu: number): number {
    return this.results[cpu] ?? -1;
  }

  finish(): void {
    this.outcomes.add(`${this.results} [${this.words[X]},${this.words[Y]}]`);
  }
}

/** Each stores to one word and loads the other: not both can miss. */
export function storeBuffering(): Litmus {
  const one = (mine: number, other: number) => (words: Int32Array) => {
    storeRelease(words, mine, 1);
    return loadAcquire(words, other);
  };
  return new Litmus(one(X, Y), one(Y, X));
}

/** Data, then a flag: who sees the flag sees the data. `plain`: with plain accesses, which race. */
export function messagePassing(plain: boolean): Litmus {
  const store = plain ? writePrivate : storeRelease;
  const load = plain ? readPrivate : loadAcquire;
  return new Litmus(
    (words) => {
      writePrivate(words, X, 42);
      store(words, Y, 1);
      return 0;
    },
    (words) => (load(words, Y) === 0 ? -1 : readPrivate(words, X)),
  );
}

/** Two increments by load and store: one may be lost. */
export function lostUpdate(): Litmus {
  const increment = (words: Int32Array) => {
    const before = loadAcquire(words, X);
    storeRelease(words, X, before + 1);
    return before;
  };
  return new Litmus(increment, increment);
}

/** The same by CAS: none is lost. */
export function casUpdate(): Litmus {
  const increment = (words: Int32Array) => {
    for (;;) {
      const before = loadAcquire(words, X);
      if (cmpxchg(words, X, before, before + 1) === before) return before;
    }
  };
  return new Litmus(increment, increment);
}

/** Two increments under a lock that the other one waits for. */
export function spinLock(): Litmus {
  const increment = (words: Int32Array) => {
    while (cmpxchg(words, Y, 0, 1) !== 0);
    const before = readPrivate(words, X);
    writePrivate(words, X, before + 1);
    storeRelease(words, Y, 0);
    return before;
  };
  return new Litmus(increment, increment);
}

/** A stack of two nodes popped one by one by two CPUs, one of which pushes its node back: ABA. */
export function aba(): Litmus {
  const A = 16;
  const B = 17;
  const pop = (words: Int32Array) => {
    const top = loadAcquire(words, X);
    if (top === 0) return 0;
    const next = loadAcquire(words, top);
    return cmpxchg(words, X, top, next) === top ? top : 0;
  };
  const litmus = new Litmus(pop, (words) => {
    const a = pop(words);
    const b = pop(words);
    if (a === 0 || b === 0) return 0;
    storeRelease(words, a, 0);
    return cmpxchg(words, X, 0, a) === 0 ? b : 0;
  });
  litmus.words.set([A], X);
  litmus.words.set([B, 0], A);
  const { finish } = Litmus.prototype;
  litmus.finish = () => {
    finish.call(litmus);
    if (litmus.words[X] === B) throw new Violation("double-owner", "node B is on the stack, and popped");
  };
  return litmus;
}
