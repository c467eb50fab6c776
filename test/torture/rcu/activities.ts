/** What a thread does, one after another, chosen by chance. A turn of its event loop is between any two. */
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Torturer } from "./torturer.ts";

export interface Activity {
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  readonly run: (torturer: Torturer) => void | Promise<void>;
}

export const ACTIVITIES: readonly Activity[] = [
  { name: "update", weight: 20, run: (t) => t.during(4, () => t.updater.update()) },
  { name: "drain", weight: 5, run: ({ updater }) => updater.drain() },
  { name: "hoard", weight: 5, run: ({ updater, random }) => updater.hoard(random(600)) },
  { name: "update what tasks trace frees", weight: 10, run: (t) => t.updater.updateTraced(1 + t.random(32)) },
  { name: "read", weight: 20, run: (t) => t.during(4, () => t.reader.section(4, nothing)) },
  {
    name: "read, update inside",
    weight: 10,
    run: (t) => t.during(4, () => t.reader.section(4, updating(t))),
  },
  { name: "read for long", weight: 5, run: (t) => t.reader.section(1 + t.random(4), () => spin(t)) },
  { name: "read in async sections", weight: 20, run: ({ asyncReaders }) => asyncReaders.start() },
  { name: "give closures", weight: 20, run: giveClosures },
  { name: "barrier", weight: 10, run: barrier },
  { name: "nested", weight: 5, run: nested },
  { name: "steal", weight: 5, run: ({ thief, random }) => thief.steal(random(200)) },
  { name: "block", weight: 3, run: ({ control, random }) => control.block(random(20)) },
  { name: "idle", weight: 3, run: ({ random }) => pause(random(20)) },
  { name: "update and poll, no turns", weight: 2, run: updateAndPoll },
  { name: "detach", weight: 2, run: reattach },
];

const TOTAL_WEIGHT = ACTIVITIES.reduce((sum, { weight }) => sum + weight, 0);

/** The index of one of them. */
export function chooseActivity(random: (below: number) => number): number {
  let left = random(TOTAL_WEIGHT);
  return ACTIVITIES.findIndex(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

/** Reads until nothing is under way on this thread that a detach would cut off. */
export async function quiesce(torturer: Torturer): Promise<void> {
  while (!torturer.isQuiet) {
    torturer.during(1, () => torturer.reader.section(4, nothing));
    await turn();
  }
}

function nothing(): void {}

function updating({ updater, random }: Torturer): () => void {
  return () => {
    for (let i = random(32); i > 0; i--) updater.update();
  };
}

function spin({ random }: Torturer): void {
  const end = performance.now() + random(4);
  while (performance.now() < end);
}

function giveClosures({ closures, random }: Torturer): void {
  const flavour = random(2) === 0 ? 0 : 1;
  const last = random(50);
  for (let i = 0; i <= last; i++) closures.give(flavour, i === last && random(4) === 0);
}

/** Barriers begin here; most end while this thread is at something else. */
async function barrier({ closures, random }: Torturer): Promise<void> {
  const done = closures.barrier(random(2) === 0 ? 0 : 1);
  if (random(8) === 0) await done;
}

/** As in an AudioWorklet: no refills, no work, until it is over. */
function nested({ heap, updater, random }: Torturer): void {
  const count = random(64);
  heap.context.nmi(() => {
    for (let i = 0; i < count; i++) updater.update();
  });
}

function updateAndPoll(torturer: Torturer): void {
  torturer.during(40, () => {
    torturer.updater.update();
    if (torturer.random(64) === 0) torturer.heap.poll();
  });
}

async function reattach(torturer: Torturer): Promise<void> {
  await quiesce(torturer);
  torturer.thief.giveBack();
  torturer.closures.leave();
  torturer.access.detach();
  if (torturer.random(2) === 0) await pause(torturer.random(4));
  torturer.access.attach(torturer.random(4) !== 0);
  torturer.closures.come();
}
