/** What threads do, one after another, chosen by chance. Victims may die in the middle of any. */
import type { Member } from "./member.ts";

export interface Activity {
  readonly name: string;
  /** How often it is chosen, against the others. */
  readonly weight: number;
  readonly run: (member: Member) => void | Promise<void>;
}

export const ACTIVITIES: readonly Activity[] = [
  { name: "attach", weight: 0, run: () => {} },
  { name: "allocate and free", weight: 30, run: (m) => m.repeat(300, () => m.holder.swap()) },
  { name: "hand over", weight: 10, run: (m) => m.repeat(60, () => m.holder.handOver()) },
  { name: "publish", weight: 10, run: (m) => m.repeat(100, () => m.holder.publish()) },
  { name: "read", weight: 10, run: (m) => m.repeat(20, () => m.holder.read(() => m.holder.swap())) },
  { name: "read for several turns", weight: 5, run: readAsync },
  { name: "hoard", weight: 5, run: ({ holder }) => holder.hoard() },
  { name: "nested", weight: 8, run: nested },
  { name: "poll", weight: 5, run: (m) => m.repeat(20, () => pollAfter(m)) },
  { name: "allocators of its own", weight: 5, run: (m) => m.own.use(m.heap) },
  { name: "a group of its own", weight: 3, run: (m) => m.own.useGroup(m.heap) },
  { name: "callbacks", weight: 5, run: callbacks },
  { name: "block", weight: 2, run: ({ board, random }) => board.block(random(5)) },
  { name: "detach", weight: 2, run: (m) => m.reattach() },
];

/** The index of "allocate and free". */
export const WORK = 1;

const TOTAL_WEIGHT = ACTIVITIES.reduce((sum, { weight }) => sum + weight, 0);

/** The index of one of them. */
export function chooseActivity(random: (below: number) => number): number {
  let left = random(TOTAL_WEIGHT);
  return ACTIVITIES.findIndex(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

async function readAsync({ heap, holder, random, turn }: Member): Promise<void> {
  const section = heap.rcu.tasksTrace.enter();
  for (let i = random(4); i >= 0; i--) {
    holder.publish();
    await turn();
  }
  section.exit();
}

/** As in an AudioWorklet: no refills, no work, until it is over. */
function nested(member: Member): void {
  const { heap, holder } = member;
  heap.context.nmi(() => {
    member.repeat(40, () => holder.swap());
    member.repeat(10, () => holder.publish());
  });
}

function pollAfter({ heap, holder }: Member): void {
  holder.swap();
  heap.poll();
}

function callbacks({ heap, random }: Member): void {
  for (let i = random(20); i >= 0; i--) heap.rcu.call(() => {});
  // they end in some later turn, or never
  void heap.rcu.synchronize();
  void heap.rcu.tasksTrace.synchronize();
}
