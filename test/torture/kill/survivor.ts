/** A thread that goes on, and notes how long its calls take. What it finds wrong it throws. */
import { setImmediate as turn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Histogram, type Recorded } from "../../../bench/latency/histogram.ts";
import { loadLibrary } from "../rcu/library.ts";
import type { Job } from "./job.ts";
import { PHASES } from "./latency.ts";
import { Member } from "./member.ts";

/** The heap's timers keep no thread alive; this one does. */
const KEEP_ALIVE_MS = 1000;

export interface Answer {
  /** How long calls took, in each phase. */
  readonly times: readonly Recorded[];
}

async function main(job: Job): Promise<void> {
  const alive = setInterval(() => {}, KEEP_ALIVE_MS);
  const library = await loadLibrary(job.library);
  const times = PHASES.map(() => new Histogram());
  let phase = 0;
  const onCall = (nanoseconds: number): void => {
    if (phase !== 0) times[phase - 1].record(nanoseconds);
  };
  const member = new Member(library, job, "survivor", { turn, onCall, stays: false });
  parentPort?.postMessage("begins");
  const { board } = member;
  while (!board.isStopped) {
    phase = board.phase;
    await member.act();
    if (member.random(8) !== 0) await turn();
    reapIfTold(member);
  }
  member.heap.detach();
  clearInterval(alive);
  const answer: Answer = { times: times.map(({ recorded }) => recorded) };
  parentPort?.postMessage(answer);
}

/** At the same time as others, maybe. */
function reapIfTold({ heap, board }: Member): void {
  const { cpu, generation } = board.dead;
  if (cpu < 0 || cpu === heap.cpu) return;
  board.come();
  if (heap.reap(cpu, { surelyGone: true, generation })) board.countReaped();
}

await main(workerData);
