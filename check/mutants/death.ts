/** Bugs of reaping: each is one change to the source. */
import type { Mutant } from "./table.ts";

export const DEATH_MUTANTS: readonly Mutant[] = [
  {
    id: "M28",
    what: "two CPUs reap a dead one",
    file: "cpu/cpus.js",
    from: "return cmpxchg(this.words, this.slotOf(cpu) + SLOT_STATE, state, next) === state;",
    to: "storeRelease(this.words, this.slotOf(cpu) + SLOT_STATE, next); return true;",
    oracle: "race",
    scenario: "reap-among",
  },
  {
    id: "M29",
    what: "alloc names the object in hand after it took it off the list",
    file: "memalloc/mem-cache.js",
    from: `writePrivate(words, cache + HAND, node);
        writePrivate(words, cache + FREE_LIST, readPrivate(words, node + OBJECT_HOME));`,
    to: `writePrivate(words, cache + FREE_LIST, readPrivate(words, node + OBJECT_HOME));
        writePrivate(words, cache + HAND, node);`,
    oracle: "leak",
    scenario: "reap-hand",
  },
  {
    id: "H5",
    what: "a free list that was becoming the spare is both",
    file: "memalloc/free-list.js",
    from: "spare === readPrivate(this.words, cache + FREE_LIST) ? 0 : spare",
    to: "spare",
    oracle: "wild-access",
    scenario: "reap-hand",
  },
  {
    id: "H6",
    what: "objects of the free list join the spare before another list has taken its place",
    file: "memalloc/free-list.js",
    from: "writePrivate(this.words, cache + FREE_LIST, first);\n        this.linkAll(cache + SPARE, before);",
    to: "this.linkAll(cache + SPARE, before);\n        writePrivate(this.words, cache + FREE_LIST, first);",
    oracle: "double-free",
    scenario: "reap-recycle",
  },
  {
    id: "H1",
    what: "the object that HAND names stays where it is",
    file: "memalloc/cache.js",
    from: "if (hand > 0) {",
    to: "if (false) {",
    oracle: "leak",
    scenario: "reap-hand",
  },
  {
    id: "H2",
    what: "a private list of a slab that begins on the shared one is kept",
    file: "mm/slab-settle.js",
    from: "if (shared.has(object)) {",
    to: "if (false) {",
    oracle: "double-free",
    scenario: "reap-slab",
  },
  {
    id: "H3",
    what: "a slab is let go while it is still the CPU's current one",
    file: "mm/slab.js",
    from: `writePrivate(this.words, local + SLAB_CPU_PAGE, 0);
            this.letGo(cache, page);`,
    to: `this.letGo(cache, page);
            writePrivate(this.words, local + SLAB_CPU_PAGE, 0);`,
    oracle: "two-lists",
    scenario: "reap-slab",
  },
  {
    id: "H4",
    what: "the slot of a reaper is given back before what it was reaping",
    file: "reap.js",
    from: "for (const orphan of system.cpus.reapedBy(cpu))\n        reap(system, orphan);",
    to: "",
    oracle: "leak",
    scenario: "reap-reaper",
  },
];
