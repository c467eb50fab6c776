/** Times two loops in turn, so that whatever slows the machine down slows both. */
import { type Loop, OPERATIONS_STEP } from "./workloads/workload.ts";

/** Nanoseconds per operation in one round. */
export interface Sample {
  readonly reference: number;
  readonly subject: number;
}

/**
 * Long against the timer's step; short against the slices in which busy machines deal out their processors,
 * so that most rounds run undisturbed.
 */
const ROUND_MS = 1;
/** Calls that bring the loop itself to the optimising compiler, rather than the middle of one long call. */
const SHORT_CALLS = 300;
const LONG_CALLS = 5;
/** A loop that is a thousand times as slow as the others gets less of all this; it has been compiled by then. */
const LONGEST_WARM_UP_MS = 500;
const LONGEST_MS = 3000;
/** There are so many rounds, however long they take. */
const LEAST_ROUNDS = 5;

/** Measures `rounds` times, or fewer if that takes too long. */
export function measure(
  reference: Loop,
  subject: Loop,
  rounds: number,
  longestMs: number = LONGEST_MS,
): Sample[] {
  const referenceOperations = warmUp(reference);
  const subjectOperations = warmUp(subject);
  const samples: Sample[] = [];
  const deadline = performance.now() + longestMs;
  for (let round = 0; round < rounds; round++) {
    if (round >= LEAST_ROUNDS && performance.now() > deadline) break;
    // each goes first in every other round
    if (round % 2 === 0) {
      const before = time(reference, referenceOperations);
      samples.push({ reference: before, subject: time(subject, subjectOperations) });
    } else {
      const before = time(subject, subjectOperations);
      samples.push({ reference: time(reference, referenceOperations), subject: before });
    }
  }
  return samples;
}

/** Runs a loop until it is compiled. Returns how many operations take about ROUND_MS. */
function warmUp(loop: Loop): number {
  const deadline = performance.now() + LONGEST_WARM_UP_MS;
  for (let call = 0; call < SHORT_CALLS; call++) {
    loop(OPERATIONS_STEP);
    // a step is then longer than a round
    if (performance.now() > deadline) return OPERATIONS_STEP;
  }
  const long = operationsFor(ROUND_MS, time(loop, 10 * OPERATIONS_STEP));
  for (let call = 0; call < LONG_CALLS; call++) loop(long);
  return operationsFor(ROUND_MS, time(loop, long));
}

function operationsFor(milliseconds: number, nanosecondsEach: number): number {
  const steps = (milliseconds * 1e6) / nanosecondsEach / OPERATIONS_STEP;
  return Math.max(1, Math.round(steps)) * OPERATIONS_STEP;
}

/** Nanoseconds per operation. */
function time(loop: Loop, operations: number): number {
  const start = performance.now();
  loop(operations);
  return ((performance.now() - start) * 1e6) / operations;
}
