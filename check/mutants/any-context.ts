/** Mutants of what may be called anywhere: kmallocNolock, and refills that other CPUs do. */
import type { Mutant } from "./table.ts";

const INBOX = "memalloc/inbox.js";

export const ANY_CONTEXT_MUTANTS: readonly Mutant[] = [
  {
    id: "K1",
    what: "a helper gives a chain where another one has given one",
    file: INBOX,
    from: "return cmpxchg(this.words, cache + INBOX, INBOX_WANTED, chainLink(first)) === INBOX_WANTED;",
    to: "cmpxchg(this.words, cache + INBOX, loadAcquire(this.words, cache + INBOX), chainLink(first));\n        return true;",
    oracle: "invariant",
    scenario: "kthread",
  },
  {
    id: "K2",
    what: "a chain is taken from the inbox although a nested call may have taken it",
    file: INBOX,
    from: "if (link <= 0 || cmpxchg(this.words, cache + INBOX, link, INBOX_EMPTY) !== link)",
    to: "cmpxchg(this.words, cache + INBOX, link, INBOX_EMPTY);\n        if (link <= 0)",
    oracle: "wrong-bucket",
    scenario: "kthread-nested",
  },
  {
    id: "K3",
    what: "a cache that closes does not look for what it is given meanwhile",
    file: INBOX,
    from: "return first === 0 ? this.take(cache) : first;",
    to: "return first;",
    oracle: "invariant",
    scenario: "kthread",
  },
];
