/** Mutants of what may be called anywhere: kmallocNolock, and refills that other CPUs do. */
import type { Mutant } from "./table.ts";

const INBOX = "memalloc/inbox.js";

const SLAB = "mm/slab.js";

export const ANY_CONTEXT_MUTANTS: readonly Mutant[] = [
  {
    id: "M19",
    what: "a nested alloc goes on in the slab cache that is in use further down the stack",
    file: SLAB,
    from: "if (!localTryLock(this.words, local + SLAB_CPU_LOCK))\n            return 0;\n        const object",
    to: "localTryLock(this.words, local + SLAB_CPU_LOCK);\n        const object",
    oracle: "double-owner",
    scenario: "slab-nested",
  },
  {
    id: "M21",
    what: "a nested free puts its object onto the private list although that is in the middle of a change",
    file: SLAB,
    from: "if (mine && localTryLock(this.words, local + SLAB_CPU_LOCK))",
    to: "if (mine)",
    oracle: "leak",
    scenario: "nolock-twice",
  },
  {
    id: "M22",
    what: "a full slab that gets an object back is put on no list",
    file: SLAB,
    from: "if (!isFrozen(state))\n                this.lists.put(cache, page);",
    to: "",
    oracle: "page-under-user",
    scenario: "nolock",
  },
  {
    id: "M23",
    what: "kmallocNolock tries until one of the caches is idle",
    file: "mm/kmalloc.js",
    from: "const cache = this.idleCacheFor(bytes);",
    to: "let cache = this.idleCacheFor(bytes);\n        while (cache === 0) cache = this.idleCacheFor(bytes);",
    oracle: "progress",
    scenario: "nolock-twice",
  },
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
    oracle: "two-lists",
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
