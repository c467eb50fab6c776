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

/** An object that is out is on no list. */
function checkPlaces(library: Library, system: Booted, out: readonly number[]): void {
  const { FREE_LIST, SPARE, RCU_BATCH, FREE_LIST_EXTRA, RCU_BATCH_EXTRA, FREE_BY_RCU_TTRACE } =
    library.cacheLayout;
  const { HEADER_WORDS, OBJECT_CHECK, OBJECT_HOME } = library.cacheLayout;
  const { words } = system.arena;
  const nodes = new Set(out.map((p) => (p >>> 2) - HEADER_WORDS));
  const follow = (from: number, link: number, visit: (node: number) => void): void => {
    for (let node = words[from], i = 0; node > 0 && i < MAX_LIST; node = words[node + link], i++) visit(node);
  };
  const look = (node: number): void => {
    if (nodes.has(node)) throw new Violation("two-lists", `the object at word ${node} is out, and on a list`);
  };
  const lookAtChain = (link: number): void => {
    look(link - OBJECT_CHECK);
    follow(link - OBJECT_CHECK + OBJECT_HOME, OBJECT_HOME, look);
  };
  for (const list of wordsOf(system, [FREE_LIST, SPARE, RCU_BATCH])) follow(list, OBJECT_HOME, look);
  for (const list of wordsOf(system, [FREE_LIST_EXTRA, RCU_BATCH_EXTRA, FREE_BY_RCU_TTRACE]))
    follow(list, 0, lookAtChain);
  const waiting = library.memalloc.chainsInQueues(system.pages, system.callbacks, () => {});
  for (const link of [...waiting.values()].flat()) lookAtChain(link);
}

/** Addresses of these words of all caches on all CPUs. */
function wordsOf(system: Booted, fields: readonly number[]): number[] {
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
  if (/on a list twice|or one twice/.test(text)) return "two-lists";
  if (/is no slab of that cache|free and in use|frozen, but nobody has it/.test(text))
    return "page-under-user";
  if (/is there twice|two allocators have the name/.test(text)) return "two-of-a-name";
  if (/charges differ from holdings/.test(text)) return "charges";
  if (/took only/.test(text)) return "leak";
  return "invariant";
}
