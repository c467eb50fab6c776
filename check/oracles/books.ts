/** The oracles that look at the heap at rest: every invariant of every layer, and rule R5. */
import type { Booted } from "#src/boot.js";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";

/**
 * All calls have returned; `out` are the objects that the program holds. What a dead CPU was in the middle of is
 * settled when it is reaped, which is not there yet: with deaths only the survivors' calls are checked.
 */
export function checkBooks(
  library: Library,
  system: Booted,
  out: readonly number[],
  dead: readonly number[],
): void {
  if (dead.length > 0) return;
  checkPlaces(library, system, out);
  checkSound(library, system);
  let taken = 0;
  let listed = 0;
  const chains = library.memalloc.chainsInQueues(system.pages, system.callbacks, () => {});
  for (const allocator of system.allocators.list()) {
    const books = library.memalloc.checkAllocator(system.pages, system.areas, allocator, chains, () => {});
    taken += books.taken;
    listed += books.listed;
  }
  const lost = taken - listed - out.length;
  if (lost === 0) return;
  const books = `${taken} objects taken from slab, ${listed} on lists, ${out.length} out`;
  if (lost > 0) throw new Violation("leak", `${books}: ${lost} lost`);
  throw new Violation("two-lists", `${books}: ${-lost} more places than objects`);
}

/** Longest list that is followed: in these heaps they are shorter. */
const MAX_LIST = 64;

/** An object that is out is on no list of objects that may be handed out. */
function checkPlaces(library: Library, system: Booted, out: readonly number[]): void {
  const { FREE_LIST, RCU_BATCH, HEADER_WORDS, OBJECT_HOME } = library.cacheLayout;
  const { words } = system.arena;
  const nodes = new Set(out.map((p) => (p >>> 2) - HEADER_WORDS));
  for (const list of listsOf(system, [FREE_LIST, RCU_BATCH])) {
    for (let node = words[list], i = 0; node > 0 && i < MAX_LIST; node = words[node + OBJECT_HOME], i++) {
      if (nodes.has(node))
        throw new Violation("two-lists", `the object at word ${node} is out, and on a list`);
    }
  }
}

/** Addresses of these words of all caches on all CPUs. */
function listsOf(system: Booted, fields: readonly number[]): number[] {
  const { allocators, areas } = system;
  const cpus = Array.from({ length: areas.maxCpus }, (_, cpu) => cpu);
  return allocators
    .list()
    .flatMap((allocator) => cpus.flatMap((cpu) => allocators.cachesOn(cpu, allocator)))
    .flatMap((cache) => fields.map((field) => cache + field));
}

/** Every invariant of every layer. */
export function checkSound(library: Library, system: Booted): void {
  const problems = library.inspect.verify(system);
  if (problems.length > 0) throw new Violation(nameOf(problems), problems.join("; "));
}

/** What a broken invariant is called in the table of mutants. */
function nameOf(problems: readonly string[]): string {
  const text = problems.join("; ");
  if (/where no such object starts|says its unit/.test(text)) return "wrong-bucket";
  if (/twice/.test(text)) return "two-lists";
  if (/is no slab of that cache|free and in use|frozen, but nobody has it/.test(text))
    return "page-under-user";
  if (/took only/.test(text)) return "leak";
  return "invariant";
}
