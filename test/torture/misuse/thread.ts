/** The thread of the misuse fuzz. */
import { parentPort, workerData } from "node:worker_threads";
import { randomFrom } from "../../support/random.ts";
import { type Library, loadLibrary } from "../rcu/library.ts";
import { advance, begin } from "../watched-thread.ts";
import type { Adversary } from "./attempt.ts";
import { CALLS } from "./calls.ts";
import { CALLS_OF_A_HEAP, type Job, newTally, type Tally } from "./job.ts";
import { judge } from "./judge.ts";
import { POINTERS } from "./pointers.ts";
import { STATES } from "./states.ts";
import { TOKENS_AND_LIMITS } from "./tokens.ts";
import { World } from "./world.ts";

/** Right calls before the first wrong one, and around each. */
const WARM_UP = 1000;
const RIGHT_CALLS = 3;
/** Wrong calls from one look at all invariants to the next. */
const VERIFY_EVERY = 1000;

/** Each as often as its weight says. */
const ADVERSARIES: readonly Adversary[] = [...POINTERS, ...CALLS, ...STATES, ...TOKENS_AND_LIMITS].flatMap(
  (adversary) => Array.from({ length: adversary.weight }, () => adversary),
);

async function misuse(job: Job): Promise<Tally> {
  // nobody reads the traces of a million errors
  Error.stackTraceLimit = 0;
  const tally = newTally();
  const library = await loadLibrary(job.library);
  let seed = job.seed;
  for (let left = job.calls; left > 0; left -= CALLS_OF_A_HEAP) {
    begin(job, seed);
    try {
      misuseHeap(job, library, seed, Math.min(left, CALLS_OF_A_HEAP), tally);
    } catch (error) {
      tally.failures.push({ seed, what: error instanceof Error ? error.message : String(error) });
      if (tally.failures.length >= job.maxFailures) break;
    }
    seed++;
  }
  return tally;
}

function misuseHeap(job: Job, library: Library, seed: number, calls: number, tally: Tally): void {
  const world = new World(library, randomFrom(seed));
  for (let i = 0; i < WARM_UP; i++) world.step();
  for (let made = 0; made < calls; ) {
    for (let right = world.random(2 * RIGHT_CALLS); right > 0; right--) {
      world.step();
      tally.rightCalls++;
    }
    const { name, attempt } = ADVERSARIES[world.random(ADVERSARIES.length)];
    const wrong = attempt(world);
    if (wrong === undefined) continue;
    count(tally, name, judge(world, wrong));
    if (++made % VERIFY_EVERY !== 0) continue;
    checkSound(world);
    advance(job, VERIFY_EVERY);
  }
  world.finish();
  checkSound(world);
}

function checkSound({ heap }: World): void {
  const problems = heap.verify();
  if (problems.length > 0) throw new Error(`the heap is broken:\n${problems.join("\n")}`);
}

function count(tally: Tally, name: string, answer: string): void {
  tally.calls++;
  tally.answers[name] ??= {};
  tally.answers[name][answer] = (tally.answers[name][answer] ?? 0) + 1;
}

parentPort?.postMessage(await misuse(workerData as Job));
