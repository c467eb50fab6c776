/** What must hold while nothing is under way: by `verify`, and by what the threads have counted themselves. */
import type { SharedHeap } from "sharedheap";
import type { Counts } from "./counters.ts";
import { FIXED_LIMIT, ROOT } from "./job.ts";

type GroupStats = ReturnType<SharedHeap["stats"]>["groups"][number];

/** Polls after which nothing is on its way any more. */
const POLLS = 200;

/** All threads rest. */
export function wrongAtRest(heap: SharedHeap, counts: Counts): string[] {
  const { groups, allocators } = heap.stats();
  const out = allocators.reduce((sum, { taken, listed }) => sum + taken - listed, 0);
  return [
    ...heap.verify(),
    ...wrongOut(out, counts),
    ...groups.flatMap(wrongLimits),
    ...wrongRoot(heap, counts),
  ];
}

/** All threads have freed what they had, ended what they made, and gone. Detaches. */
export function wrongAtEnd(heap: SharedHeap, counts: Counts): string[] {
  for (let i = 0; i < POLLS; i++) heap.poll();
  const problems = [...heap.verify(), ...wrongOut(0, counts)];
  const { groups, allocators, slabs } = heap.stats();
  problems.push(...allocators.map(({ name }) => `allocator "${name}" was destroyed, and is still there`));
  for (const { name, children } of groups)
    for (const left of name === ROOT ? children.map((child) => child.name) : [name])
      problems.push(`group "${left}" was dropped, and is still there`);
  const charged = heap.memcg({ name: ROOT }).current;
  // what was never freed stays charged; there is no stock, since nobody is there who could have it
  if (charged !== counts.bytes)
    problems.push(`${charged} bytes are charged to the root in the end, ${counts.bytes} were never freed`);
  const used = slabs.reduce((sum, slab) => sum + slab.used, 0);
  if (used !== 0) problems.push(`${used} objects are left in slab, and nobody has them`);
  heap.memcg({ name: ROOT }).drop();
  const left = heap.stats().groups.length;
  if (left !== 0) problems.push(`the root was dropped, and ${left} groups are there`);
  heap.detach();
  return [...problems, ...heap.verify()];
}

/** `out`: objects that the heap says are out. */
function wrongOut(out: number, { made, freed, leaked, endings }: Counts): string[] {
  const known = made - freed - leaked;
  // allocators that are gone, of which the thread that ended them has not been told yet what was out
  if (out === known || (out < known && endings > 0)) return [];
  return [`${out} objects are out, ${known} are known: ${made} made, ${freed} freed, ${leaked} leaked`];
}

function wrongLimits({ name, max, peak, children }: GroupStats): string[] {
  const below = children.flatMap(wrongLimits);
  if (!name.startsWith(FIXED_LIMIT) || peak <= max) return below;
  return [...below, `group "${name}" was charged ${peak} bytes, and may have ${max}`];
}

/** All that is out is charged; besides, what waits in lists, and stock. */
function wrongRoot(heap: SharedHeap, { bytes }: Counts): string[] {
  const charged = heap.memcg({ name: ROOT }).current;
  return charged >= bytes
    ? []
    : [`${charged} bytes are charged to the root, and objects of ${bytes} are out`];
}
