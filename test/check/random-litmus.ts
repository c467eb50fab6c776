/** Small random programs: what one search finds in them, every other must find. */
import {
  cmpxchg,
  fetchAdd,
  loadAcquire,
  readPrivate,
  storeRelease,
  writePrivate,
  xchg,
} from "../../check/engine/primitive.ts";
import { Random } from "../../check/strategies/random.ts";
import { type Body, Litmus } from "./litmus.ts";

/** Words that are accessed atomically begin here; the plain one is before them. */
const FIRST = 8;
const PLAIN = 7;

export interface Shape {
  readonly cpus: number;
  readonly calls: number;
  readonly steps: number;
  /** Words that the steps are on. */
  readonly words: number;
  /** Steps of each of two nested calls; 0: none. */
  readonly nested: number;
  /** Some steps are plain accesses, all of one word. */
  readonly plain: boolean;
}

/** Remembers all results of all calls, and at the end the whole of memory. */
export class RandomLitmus extends Litmus {
  constructor(seed: number, shape: Shape) {
    const random = new Random(seed);
    const body = (steps: number): Body => randomBody(random, steps, shape);
    super(
      ...Array.from({ length: shape.cpus }, () =>
        Array.from({ length: shape.calls }, () => body(shape.steps)),
      ),
    );
    if (shape.nested > 0)
      this.nested = ["a", "b"].map((name) => this.call(`nested ${name}`, body(shape.nested)));
  }

  protected override call(name: string, body: Body) {
    return {
      name,
      run: () => body(this.words),
      done: (cpu: number, _argument: number, result: number) => {
        this.results[cpu] = (Math.imul(this.results[cpu] ?? 1, 31) + result) | 0;
      },
    };
  }

  override finish(dead: readonly number[] = []): void {
    this.outcomes.add(`${this.results} [${this.words.subarray(FIRST)}] ${dead}`);
  }
}

type Step = (words: Int32Array, last: number) => number;

/** Each step sees the last one's result; some are left out because of it. */
function randomBody(random: Random, count: number, shape: Shape): Body {
  const steps = Array.from({ length: count }, () => ({
    run: randomStep(random, shape),
    onlyIfEven: random.below(3) === 0,
  }));
  return (words) => {
    let last = 0;
    let hash = 7;
    for (const { run, onlyIfEven } of steps) {
      if (onlyIfEven && (last & 1) === 1) continue;
      last = run(words, last);
      hash = (Math.imul(hash, 31) + last) | 0;
    }
    return shape.plain ? 0 : hash;
  };
}

function randomStep(random: Random, shape: Shape): Step {
  const at = FIRST + random.below(shape.words);
  const value = random.below(3);
  const expected = random.below(3);
  const steps: Step[] = [
    (words) => loadAcquire(words, at),
    (words) => loadAcquire(words, at),
    (words, last) => {
      storeRelease(words, at, value + (last & 1));
      return last;
    },
    (words, last) => cmpxchg(words, at, expected, value + (last & 1)),
    (words) => xchg(words, at, value),
    (words) => fetchAdd(words, at, 1),
  ];
  if (shape.plain) {
    steps.push((words) => readPrivate(words, PLAIN) & 0);
    steps.push((words, last) => {
      writePrivate(words, PLAIN, 1);
      return last;
    });
  }
  return steps[random.below(steps.length)];
}
