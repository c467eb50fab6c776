/** What must be so after deaths, once a survivor has reaped the dead: nobody has what somebody else has. */
import type { Booted } from "#src/boot.js";
import type { Allocator } from "#src/memalloc/index.js";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";

/** More than lie on lists in these heaps; what comes then is cut from new slabs. */
const MANY = 10;

/** A survivor reaps the dead. Returns the survivor's number. */
export function reapDead(library: Library, booted: readonly Booted[], dead: readonly number[]): number {
  const survivor = booted.findIndex((_, cpu) => !dead.includes(cpu));
  const { cpus } = booted[survivor];
  for (const cpu of dead) cpus.markDead(cpu, cpus.generationOf(cpu));
  // the last first: it may have been reaping the others
  for (const cpu of [...dead].reverse()) {
    library.reap.reap(booted[survivor], cpu);
    if (cpus.list()[cpu].state !== "free")
      throw new Violation("leak", `CPU ${cpu} is dead, and was not given back`);
  }
  return survivor;
}

/** What can be allocated. */
export function allOf(allocate: () => number): number[] {
  const taken: number[] = [];
  for (let p = allocate(); p !== 0 && taken.length < MANY; p = allocate()) taken.push(p);
  return taken;
}

/** No object twice, nor one that somebody holds. */
export function checkDistinct(taken: readonly number[], out: readonly number[]): void {
  const seen = new Set(out);
  for (const p of taken) {
    if (seen.has(p)) throw new Violation("double-owner", `object ${p} came out, and had an owner`);
    seen.add(p);
  }
}

/** Whatever was lost, nothing is in two places. */
export function checkPlacedOnce(library: Library, system: Booted): void {
  const twice = library.inspect.verify(system).filter((problem) => /is held by|twice/.test(problem));
  if (twice.length > 0) throw new Violation("two-lists", twice.join("; "));
}

/** Every object is on a list or live, to the object; those that the program holds are live, and at most `unknown` more. */
export function checkNoneLost(
  library: Library,
  system: Booted,
  allocator: Allocator,
  out: readonly number[],
  unknown: number,
): void {
  const live = new Set(library.memalloc.leakedObjects(system.kmalloc, allocator));
  const chains = library.memalloc.chainsInQueues(system.pages, system.callbacks, () => {});
  const { pages, areas } = system;
  const { taken, listed } = library.memalloc.checkAllocator(pages, areas, allocator, chains, () => {});
  const books = `${taken} objects taken from slab, ${listed} on lists, ${live.size} live`;
  if (taken !== listed + live.size) throw new Violation("leak", books);
  if (out.some((p) => !live.has(p))) throw new Violation("double-owner", `${books}: not those that are held`);
  if (live.size > out.length + unknown) throw new Violation("leak", `${books}, ${out.length} of these held`);
}
