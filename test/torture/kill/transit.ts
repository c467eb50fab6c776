/**
 * What `verify` says of things that threads were in the middle of moving when they died: nobody has them, and nobody is
 * given them. It is as much as a few of them can have had in their hands, and no more.
 */
const IN_TRANSIT = [
  /^pages: \d+ free \+ \d+ held != \d+/,
  /^pages: blocks in use have \d+ pages, \d+ are held/,
  /^slab: cache at \d+ counts \d+ slabs, has \d+/,
  /^slab: page \d+ is frozen, but nobody has it/,
  /^memalloc: .* chains are counted, \d+ there/,
  /^memalloc: .* has \d+ objects on lists, took only -?\d+/,
  /^memcg: .* charges differ from holdings/,
  // of a thread that died while it opened an allocator in a group
  /^memcg: .* \d+ holds, \d+ allocators and children/,
];

/** The problems that no death explains. */
export function unexplained(problems: readonly string[]): string[] {
  return problems.filter((problem) => !IN_TRANSIT.some((known) => known.test(problem)));
}
