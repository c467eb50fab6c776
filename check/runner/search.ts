/** Runs the schedules of one program, as its scenario's search says. */
import type { Machine } from "../engine/machine.ts";
import type { Program } from "../engine/scenario.ts";
import type { Strategy } from "../engine/strategy.ts";
import type { Violation } from "../engine/violation.ts";
import type { Search } from "../scenarios/spec.ts";
import { Bounded } from "../strategies/bounded.ts";
import { Exhaustive } from "../strategies/exhaustive.ts";
import { Replay } from "../strategies/replay.ts";
import { Pct, Pos } from "../strategies/sampling.ts";

/** A strategy that knows when it is through. */
interface Searcher extends Strategy {
  restart(): void;
  next(): boolean;
}

type Sampling = Extract<Search, { schedules: number }>;

/** Calls of `progress` come about this often. */
const PROGRESS_EXECUTIONS = 2000;

export interface Searched {
  readonly violation: Violation | undefined;
  readonly exhausted: boolean;
}

/** `progress` is called now and then; when it returns false the search stops. */
export function search(
  machine: Machine,
  program: Program,
  how: Search,
  seed: number,
  progress: () => boolean,
): Searched {
  if (how.kind === "exhaustive" || how.kind === "bounded") {
    const searcher = how.kind === "exhaustive" ? new Exhaustive() : new Bounded();
    return searchAll(machine, program, searcher, progress);
  }
  return searchSome(machine, program, how, seed, progress);
}

function searchSome(
  machine: Machine,
  program: Program,
  how: Sampling,
  seed: number,
  progress: () => boolean,
): Searched {
  // each CPU to its end: tells how long an execution is
  let violation = believed(machine, machine.execute(program, new Replay([])));
  const length = machine.decisionCount;
  const sampler = how.kind === "pct" ? new Pct(seed, how.depth, length) : new Pos(seed, length);
  for (let left = how.schedules; left > 0 && violation === undefined; ) {
    violation = believed(machine, machine.execute(program, sampler));
    // when a word turned out to be shared, the schedule had not been seen whole
    if (!machine.sharedGrew) left--;
  }
  progress();
  return { violation, exhausted: false };
}

function searchAll(
  machine: Machine,
  program: Program,
  searcher: Searcher,
  progress: () => boolean,
): Searched {
  for (let executions = 1; ; executions++) {
    const violation = believed(machine, machine.execute(program, searcher));
    if (violation !== undefined) return { violation, exhausted: false };
    if (machine.sharedGrew) searcher.restart();
    else if (!searcher.next()) return { violation: undefined, exhausted: true };
    if (executions % PROGRESS_EXECUTIONS === 0 && !progress())
      return { violation: undefined, exhausted: false };
  }
}

/** A word that turned out to be shared may have ordered accesses before that was known: then there is no race. */
function believed(machine: Machine, violation: Violation | undefined): Violation | undefined {
  return violation?.oracle === "race" && machine.sharedGrew ? undefined : violation;
}
