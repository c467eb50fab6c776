/**
 * Repeats a schedule. It is kept as its *deviations*: the points at which it did not take the first option,
 * which is to let the current CPU go on. Few of them matter, and `minimise` finds those.
 */
import type { Decision } from "../engine/decisions.ts";
import type { Machine } from "../engine/machine.ts";
import type { Program } from "../engine/scenario.ts";
import type { Strategy } from "../engine/strategy.ts";
import type { Violation } from "../engine/violation.ts";

export interface Deviation {
  /** Where in the execution: machine.place. */
  readonly place: number;
  readonly decision: Decision;
}

export class Replay implements Strategy {
  /** The deviations that this execution could take. */
  readonly taken: Deviation[] = [];
  private readonly deviations: ReadonlyMap<number, Decision>;

  constructor(deviations: readonly Deviation[]) {
    this.deviations = new Map(deviations.map(({ place, decision }) => [place, decision]));
  }

  begin(): void {
    this.taken.length = 0;
  }

  pick(machine: Machine): Decision {
    const { place } = machine;
    const wanted = this.deviations.get(place);
    if (wanted === undefined || !machine.options.subarray(0, machine.optionCount).includes(wanted)) {
      return machine.options[0];
    }
    if (wanted !== machine.options[0]) this.taken.push({ place, decision: wanted });
    return wanted;
  }
}

/**
 * Executes the program with these deviations. Every step is a scheduling point meanwhile: a search stops only at
 * words that it found to be shared, which another machine, or a smaller schedule, may not know to be.
 */
export function execute(machine: Machine, program: Program, replay: Replay): Violation | undefined {
  machine.stopsEverywhere = true;
  try {
    let violation: Violation | undefined;
    // the race detector looks at shared words only
    do violation = machine.execute(program, replay);
    while (machine.sharedGrew);
    return violation;
  } finally {
    machine.stopsEverywhere = false;
  }
}

/** The deviations of the execution that the machine has just made. */
export function deviationsOf(machine: Machine, program: Program): Deviation[] {
  const count = machine.decisionCount;
  const decisions = machine.decisions.slice(0, count);
  const places = machine.places.slice(0, count);
  const replay = new Replay(Array.from(decisions, (decision, i) => ({ place: places[i], decision })));
  execute(machine, program, replay);
  return [...replay.taken];
}

/** The fewest deviations, as far as leaving out one part after the other finds them, for which the same oracle fires. */
export function minimise(
  machine: Machine,
  program: Program,
  failing: readonly Deviation[],
  oracle: string,
): Deviation[] {
  const fails = (deviations: readonly Deviation[]): boolean => {
    return execute(machine, program, new Replay(deviations))?.oracle === oracle;
  };
  let best = [...failing];
  for (let part = Math.ceil(best.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let from = 0; from < best.length; ) {
      const rest = [...best.slice(0, from), ...best.slice(from + part)];
      if (fails(rest)) best = rest;
      else from += part;
    }
  }
  return best;
}
