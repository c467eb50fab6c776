/** The oracles that look at the heap at rest: every invariant of every layer, and rule R5. */
import type { Booted } from "#src/boot.js";
import { Violation } from "../engine/violation.ts";
import type { Library } from "../library.ts";

/**
 * All calls have returned; `out` objects are held by the program. What a dead CPU was in the middle of is
 * settled when it is reaped, which is not there yet: with deaths only the survivors' calls are checked.
 */
export function checkBooks(library: Library, system: Booted, out: number, dead: readonly number[]): void {
  if (dead.length > 0) return;
  checkSound(library, system);
  let taken = 0;
  let listed = 0;
  const chains = library.memalloc.chainsInQueues(system.pages, system.callbacks, () => {});
  for (const allocator of system.allocators.list()) {
    const books = library.memalloc.checkAllocator(system.pages, system.areas, allocator, chains, () => {});
    taken += books.taken;
    listed += books.listed;
  }
  if (taken === listed + out) return;
  throw new Violation(
    "leak",
    `${taken} objects taken from slab, ${listed} on lists, ${out} out: ${taken - listed - out} lost`,
  );
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
