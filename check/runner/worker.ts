/** A thread of the runner: does one job after the other. */
import { parentPort } from "node:worker_threads";
import { loadLibrary } from "../library.ts";
import { observeViews } from "../packed.ts";
import { SCENARIOS } from "../scenarios/all.ts";
import { type Outcome, runPart } from "./job.ts";

export interface Job {
  readonly id: number;
  readonly scenario: string;
  /** Folder of the compiled sources to run. */
  readonly root: string;
  /** They are those of a packed library. All jobs of a run are, or none. */
  readonly packed: boolean;
  readonly first: number;
  readonly step: number;
}

export interface Answer {
  readonly id: number;
  readonly share: number;
  /** Only when the job is done. */
  readonly outcome?: Outcome;
  readonly error?: string;
}

let viewsAreObserved = false;

parentPort?.on("message", async (job: Job) => {
  const answer = (rest: Omit<Answer, "id">): void => parentPort?.postMessage({ id: job.id, ...rest });
  try {
    const scenario = SCENARIOS.find(({ name }) => name === job.scenario);
    if (scenario === undefined) throw new Error(`there is no scenario "${job.scenario}"`);
    if (job.packed && !viewsAreObserved) observeViews();
    viewsAreObserved = job.packed;
    const library = await loadLibrary(job.root);
    const outcome = runPart(library, scenario, job, (share) => answer({ share }));
    answer({ share: 1, outcome });
  } catch (error) {
    answer({ share: 1, error: (error as Error).stack ?? String(error) });
  }
});
