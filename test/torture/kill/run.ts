/** A run: a heap, survivors, threads that die on it by turns with as many on another one, and in the end the books. */
import { randomFrom } from "../../support/random.ts";
import { loadLibrary } from "../rcu/library.ts";
import type { Books } from "./books.ts";
import { Crew } from "./crew.ts";
import type { Job } from "./job.ts";
import { newJournal } from "./journal.ts";
import { compare, type Latency } from "./latency.ts";
import { settle } from "./settle.ts";
import { findWeaknesses } from "./verdict.ts";
import { SURVIVORS, Ward } from "./ward.ts";

export interface RunOptions {
  /** How many threads are to die. */
  readonly deaths: number;
  readonly seed: number;
  /** Address of the library. */
  readonly library: string;
}

export interface Counts {
  readonly deaths: number;
  /** Deaths of threads that had a CPU. */
  readonly withCpu: number;
  /** CPUs reaped by the starter, and by survivors that were quicker. */
  readonly reaped: number;
  readonly reapedBySurvivors: number;
  /** Calls with a result that survivors made, and those that died. */
  readonly calls: number;
  readonly callsOfVictims: number;
  /** Objects of dead programs that were found as they had been left, and freed. */
  readonly inherited: number;
  /** Objects that named a dead thread as their owner, taken back: all that it had of these. */
  readonly reclaimed: number;
  /** What threads were doing when they died. */
  readonly activities: Readonly<Record<string, number>>;
}

export interface RunResult {
  readonly seconds: number;
  readonly counts: Counts;
  /** None if something was found before the end. */
  readonly latency: Latency | undefined;
  readonly books: Books | undefined;
  /** What is wrong: the first is what to look at. */
  readonly failures: readonly string[];
}

/** Called now and then. */
export type OnLook = (seconds: number, deaths: number) => void;

/** Deaths on one heap before it is the other one's turn. */
const TURN = 10;

/** Until all have died, or something is found. */
export async function run(options: RunOptions, onLook: OnLook = () => {}): Promise<RunResult> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const library = await loadLibrary(options.library);
  const random = randomFrom(options.seed);
  const wards = [0, 1].map(() => new Ward(library, options.library, random));
  const [ward, control] = wards;
  const crew = new Crew(Array.from({ length: SURVIVORS }, (_, thread) => jobOf(ward, thread, options)));
  const found = (): string[] => [crew, ward.killer, control.killer].flatMap(({ failures }) => failures);
  for (let done = 0; done < options.deaths && found().length === 0; done += TURN) {
    for (const [phase, each] of wards.entries()) {
      ward.board.phase = 1 + phase;
      await each.kill(SURVIVORS + done, Math.min(TURN, options.deaths - done));
      onLook(seconds(), ward.killer.deaths);
    }
  }
  ward.board.stop();
  const answers = await crew.end();
  const failures = found();
  if (failures.length > 0) return { seconds: seconds(), ...without(ward, crew), failures };
  const latency = compare(answers.map(({ times }) => times));
  const books = await settle(ward, crew.journals, failures);
  await settle(control, [], failures);
  const counts = countsOf(ward, crew);
  failures.push(
    ...wards.flatMap(({ killer }) => killer.failures),
    ...findWeaknesses(options.deaths, counts, latency),
  );
  return { seconds: seconds(), counts, latency, books, failures };
}

function jobOf({ heap: { token }, board }: Ward, thread: number, { seed, library }: RunOptions): Job {
  return { library, token, thread, seed: seed + thread, journal: newJournal(), board: board.words };
}

function without(ward: Ward, crew: Crew) {
  return { counts: countsOf(ward, crew), latency: undefined, books: undefined };
}

function countsOf({ killer, board, estates }: Ward, crew: Crew): Counts {
  return {
    deaths: killer.deaths,
    withCpu: killer.withCpu,
    reaped: killer.reaped,
    reapedBySurvivors: board.reaped,
    calls: crew.journals.reduce((sum, { calls }) => sum + calls, 0),
    callsOfVictims: killer.calls,
    inherited: estates.freed,
    reclaimed: estates.reclaimed,
    activities: killer.activities,
  };
}
