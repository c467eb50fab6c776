/** What a thread does, one after another, chosen by chance. A turn of its event loop is between any two. */
import { setTimeout as pause } from "node:timers/promises";
import type { Tenant } from "./tenant.ts";

export interface Activity {
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  readonly run: (tenant: Tenant) => void | Promise<void>;
}

export const ACTIVITIES: readonly Activity[] = [
  { name: "make a group", weight: 12, run: ({ groups }) => groups.make() },
  { name: "drop a group", weight: 8, run: ({ groups }) => groups.drop() },
  { name: "make and drop a tree of groups", weight: 2, run: ({ groups }) => groups.tree() },
  { name: "drop what is shared", weight: 3, run: ({ shared }) => shared.touch() },
  { name: "move a limit", weight: 10, run: ({ groups }) => groups.moveMax() },
  { name: "set a handler", weight: 4, run: ({ groups }) => groups.handle() },
  { name: "open an allocator", weight: 8, run: ({ pools }) => pools.make() },
  { name: "destroy an allocator", weight: 3, run: ({ pools }) => pools.end() },
  { name: "allocate and free", weight: 60, run: ({ pools }) => pools.use() },
  { name: "fill an allocator", weight: 10, run: ({ pools }) => pools.fill() },
  { name: "reserve", weight: 4, run: ({ pools }) => pools.reserve() },
  { name: "free what others sent", weight: 20, run: ({ post }) => post.collect() },
  { name: "use what is common", weight: 15, run: ({ commons }) => commons.use() },
  { name: "destroy what is common", weight: 3, run: ({ commons }) => commons.end() },
  { name: "poll", weight: 5, run: ({ heap }) => heap.poll() },
  { name: "idle", weight: 1, run: ({ random }) => pause(random(5)) },
  { name: "block", weight: 1, run: ({ control, random }) => control.block(random(5)) },
  { name: "detach", weight: 2, run: (tenant) => tenant.reattach() },
  { name: "come to an end", weight: 0, run: (tenant) => tenant.finish() },
];

export const FINISH = ACTIVITIES.length - 1;

const TOTAL_WEIGHT = ACTIVITIES.reduce((sum, { weight }) => sum + weight, 0);

/** The index of one of them. */
export function chooseActivity(random: (below: number) => number): number {
  let left = random(TOTAL_WEIGHT);
  return ACTIVITIES.findIndex(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}
