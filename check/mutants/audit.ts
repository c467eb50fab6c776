/** Mutants of audits: what one does not look at, and what it does not mend. */
import type { Mutant } from "./table.ts";

const OBJECTS = "audit/objects.js";
const MARKS = "audit/marks.js";
const PLAN = "audit/audit.js";
const LISTED = "memalloc/listed.js";

export const AUDIT_MUTANTS: readonly Mutant[] = [
  {
    id: "U1",
    what: "an audit does not look at inboxes: what waits there goes back to slab",
    file: LISTED,
    from: "const given = inbox > 0 ? walkChain(walk, inbox) : 0;",
    to: "const given = 0;",
    oracle: "audit",
    scenario: "audit-kthread",
  },
  {
    id: "U2",
    what: "an audit does not look at batches of freeRcu",
    file: LISTED,
    from: "const batch = walkPrivate(walk, RCU_BATCH);",
    to: "const batch = 0;",
    oracle: "audit",
    scenario: "audit",
  },
  {
    id: "U3",
    what: "an audit does not look at the private lists of CPUs' slabs",
    file: MARKS,
    from: "privately.add(object);",
    to: ";",
    oracle: "audit",
    scenario: "audit",
  },
  {
    id: "U4",
    what: "what is out is taken for what was in hand",
    file: OBJECTS,
    from: "if (check >= 0)\n",
    to: "if (check !== 1)\n",
    oracle: "audit",
    scenario: "audit",
  },
  {
    id: "U5",
    what: "objects in hand stay where they are",
    file: PLAN,
    from: "[corrected, inHand, slabs, pages, records]",
    to: "[corrected, slabs, pages, records]",
    oracle: "audit",
    scenario: "audit",
  },
  {
    id: "U6",
    what: "slabs in hand stay where they are",
    file: PLAN,
    from: "[corrected, inHand, slabs, pages, records]",
    to: "[corrected, inHand, pages, records]",
    oracle: "page-under-user",
    scenario: "audit",
  },
  {
    id: "U7",
    what: "pages in hand are not looked for",
    file: PLAN,
    from: "pages: strayPages(system),",
    to: "pages: [],",
    oracle: "invariant",
    scenario: "audit",
  },
  {
    id: "U8",
    what: "objects in hand stay counted as taken",
    file: PLAN,
    from: "...takenCounts(system, taken),",
    to: "",
    oracle: "charges",
    scenario: "audit",
  },
  {
    id: "U9",
    what: "chains in hand stay counted",
    file: PLAN,
    from: "...chainCounts(system, marks),",
    to: "",
    oracle: "invariant",
    scenario: "audit",
  },
  {
    id: "U10",
    what: "a charge that a dead thread made stays",
    file: PLAN,
    from: "...groupCounts(system, taken),",
    to: "",
    oracle: "charges",
    scenario: "audit",
  },
  {
    id: "U11",
    what: "an object that is owned by nobody is taken for the program's",
    file: OBJECTS,
    from: "isUnowned(pages.words, node)\n",
    to: "false\n",
    oracle: "leak",
    scenario: "audit-owned",
  },
];
