/** A scenario: what the checker runs, how, and under which limits. */
import type { Limits } from "../engine/decisions.ts";
import type { Call, Prepared, Program } from "../engine/scenario.ts";
import type { Library } from "../library.ts";

export interface Ready {
  readonly prepared: Prepared;
  /** How many programs there are, and the `index`-th. */
  readonly programs: number;
  program(index: number): Program;
}

export type Search =
  /** Every schedule. */
  | { readonly kind: "exhaustive" }
  /** Every schedule with at most so many preemptions. */
  | { readonly kind: "bounded"; readonly preemptions: number }
  /** So many schedules of each program, at random. */
  | { readonly kind: "pct"; readonly depth: number; readonly schedules: number }
  | { readonly kind: "pos"; readonly schedules: number };

export interface Scenario {
  readonly name: string;
  /** One line. */
  readonly about: string;
  readonly search: Search;
  /** `callSteps`: what was measured, and some room. */
  readonly limits: Partial<Limits> & Pick<Limits, "callSteps">;
  /** Only in --deep. */
  readonly deep?: boolean;
  prepare(library: Library): Ready;
}

/** All programs of `length` calls from `alphabet` on each CPU. */
export function allPrograms(prepared: Prepared, alphabet: readonly Call[], length: number): Ready {
  const programs = alphabet.length ** (prepared.cpus * length);
  return { prepared, programs, program: (index) => programAt(prepared.cpus, alphabet, length, index) };
}

/** The programs given, and no others. */
export function thesePrograms(prepared: Prepared, programs: readonly Program[]): Ready {
  return { prepared, programs: programs.length, program: (index) => programs[index] };
}

function programAt(cpus: number, alphabet: readonly Call[], length: number, index: number): Program {
  let rest = index;
  return Array.from({ length: cpus }, () =>
    Array.from({ length }, () => {
      const call = alphabet[rest % alphabet.length];
      rest = Math.floor(rest / alphabet.length);
      return call;
    }),
  );
}
