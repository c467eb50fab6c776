/**
 * Mutants of grace periods, and of what memalloc does with them. Chains are their own callbacks here, so there
 * are no rounds, claims and pins of rounds to get wrong: where a historical bug was one of those, the nearest hole is
 * taken.
 */
import type { Mutant } from "./table.ts";

const LIFETIMES = "memalloc/lifetimes.js";
const CACHE = "memalloc/cache.js";
const PIPELINE = "memalloc/pipeline.js";
const RCU = "rcu/rcu.js";

const PINS = `for (let cpu = 0; cpu < maxCpus; cpu++)
            if (this.isPinned(cpu, allocator))
                return;`;
const CHAINS = `for (let cpu = 0; cpu < maxCpus; cpu++)
            if (!this.isQuiet(cpu, allocator))
                return;`;

export const GRACE_PERIOD_MUTANTS: readonly Mutant[] = [
  {
    id: "M3",
    what: "a refill pops a chain without the taker word",
    file: PIPELINE,
    from: "if (this.cpu.claimTaker(home + TAKER) === NOT_CLAIMED)\n            return 0;",
    to: "",
    oracle: "race",
    scenario: "freercu",
  },
  {
    id: "M6",
    what: "an allocator is released while a CPU has it open",
    file: LIFETIMES,
    from: PINS,
    to: "",
    oracle: "early-release",
    scenario: "destroy-release",
  },
  {
    id: "M7",
    what: "a chain that comes home after the list was emptied is not sent on",
    file: PIPELINE,
    from: "this.raiseRound(home, chainLink(first));",
    to: "",
    oracle: "not-at-rest",
    scenario: "freercu",
  },
  {
    id: "M36",
    what: "a look that left chains where they are is not due again",
    file: PIPELINE,
    from: "if (left !== 0)\n            this.raiseRound(home, left);",
    to: "",
    oracle: "not-at-rest",
    scenario: "freercu",
  },
  {
    id: "M37",
    what: "chains that go on stay linked to those that stay",
    file: PIPELINE,
    from: "writePrivate(this.words, last, 0);\n        return rest;",
    to: "return rest;",
    oracle: "two-lists",
    scenario: "going-home",
  },
  {
    id: "M8",
    what: "the chains are looked at before the pins",
    file: LIFETIMES,
    from: `${PINS}\n        ${CHAINS}`,
    to: `${CHAINS}\n        ${PINS}`,
    oracle: "early-release",
    scenario: "destroy-release",
  },
  {
    id: "M9",
    what: "pins and chains are looked at one CPU after the other",
    file: LIFETIMES,
    from: `${PINS}\n        ${CHAINS}`,
    to: `for (let cpu = 0; cpu < maxCpus; cpu++)
            if (this.isPinned(cpu, allocator) || !this.isQuiet(cpu, allocator))
                return;`,
    oracle: "early-release",
    scenario: "destroy-release",
  },
  {
    id: "M10",
    what: "the surplus stays where it was freed",
    file: "memalloc/cache.js",
    from: "const surplus = this.list.setAside(cache);",
    to: "const surplus = 0;",
    oracle: "bound",
    scenario: "producer",
  },
  {
    id: "M12",
    what: "allocFlags' object does not say where it belongs",
    file: CACHE,
    from: "this.supply.countFailure(cache);\n        return node === 0 ? 0 : this.handOut(cache, node);",
    to: "this.supply.countFailure(cache);\n        return node === 0 ? 0 : payloadOf(node);",
    oracle: "double-free",
    scenario: "flags",
  },
  {
    id: "M15",
    what: "an incomplete batch stays when nothing more is freed",
    file: CACHE,
    from: "this.cpu.turnWork.raise(cache + TURN);",
    to: ";",
    oracle: "not-at-rest",
    scenario: "freercu-batch",
  },
  {
    id: "M16",
    what: "a tasks-trace grace period is taken to imply an RCU one when it does not",
    file: PIPELINE,
    from: ": (item) => this.callbacks.call(KIND_LAST, item)",
    to: ": chain((first) => this.release(first))",
    oracle: "early-reuse",
    scenario: "freercu-types",
  },
  {
    id: "M17",
    what: "nothing is driven, however much waits",
    file: PIPELINE,
    from: "return chains >= 2 * this.gatherChains;",
    to: "return false;",
    oracle: "bound",
    scenario: "producer-rcu",
  },
  {
    id: "M18",
    what: "a refill hands out objects before their RCU grace period has ended",
    file: PIPELINE,
    from: "{ rcu: true, trace: false, handler: chain((first) => this.adopt(first)",
    to: "{ rcu: false, trace: false, handler: chain((first) => this.adopt(first)",
    oracle: "early-reuse",
    scenario: "freercu",
  },
  {
    id: "M25",
    what: "a thread that does not know the destructor frees the objects without it",
    file: PIPELINE,
    from: "if (record !== 0 && destroy === undefined)",
    to: "if (false)",
    oracle: "not-destroyed",
    scenario: "undertakers",
  },
  {
    id: "M26",
    what: "a reader's load of the pointer is a plain one",
    file: "rcu-api.js",
    from: 'import { loadAcquire, storeRelease } from "#primitive";',
    to: 'import { readPrivate as loadAcquire, storeRelease } from "#primitive";',
    oracle: "race",
    scenario: "rcu-readers",
  },
  {
    id: "M30",
    what: "the CPU that attached last is not looked at",
    file: "rcu/rcu.js",
    from: "const { used } = this.cpus;",
    to: "const used = this.cpus.used - 1;",
    oracle: "early-reuse",
    scenario: "rcu-late",
  },
  {
    id: "M31",
    what: "tasks trace waits for one phase only",
    file: "rcu/tasks-trace.js",
    from: "const STEPS = 3;",
    to: "const STEPS = 1;",
    oracle: "early-reuse",
    scenario: "trace-readers",
  },
  {
    id: "M31b",
    what: "tasks trace counts a step that had looked already",
    file: "rcu/tasks-trace.js",
    from: "const STEPS = 3;",
    to: "const STEPS = 2;",
    oracle: "early-reuse",
    scenario: "trace-drivers",
  },
  {
    id: "M32",
    what: "the end of a chain touches its allocator after it has said that it is done",
    file: PIPELINE,
    from: `fetchAdd(this.words, this.areas.instanceOn(this.cpu.id, home) + TAKEN, -freed);
            // a destructor threw: the others are left to the next poll
            if (node !== 0)
                this.callbacks.call(KIND_LAST, this.sealed(node, home));
            // the last access to the home's words: an allocator that is going away waits for it
            else
                fetchAdd(this.words, home + CHAINS, -1);`,
    to: `fetchAdd(this.words, home + CHAINS, -1);
            fetchAdd(this.words, this.areas.instanceOn(this.cpu.id, home) + TAKEN, -freed);`,
    oracle: "early-release",
    scenario: "destroy-release",
  },
  {
    id: "M34",
    what: "a nested reader believes the count, which is raised before the word is stored",
    file: RCU,
    from: "if ((reader & 1) === 0)",
    to: "if (readPrivate(words, local + LOCAL_NESTING) === 1)",
    oracle: "early-reuse",
    scenario: "rcu-nested",
  },
  {
    id: "M35",
    what: "a CPU that gives up sends what was freed with freeRcu straight to slab",
    file: "memalloc/stock.js",
    from: "if (first !== 0)\n            this.pipeline.defer(first,",
    to: "if (first !== 0)\n            this.pipeline.releaseNow(first,",
    oracle: "early-reuse",
    scenario: "freercu-reader-2",
  },
  {
    id: "RCU2",
    what: "a CPU that is outside looks at itself only before it reuses",
    file: RCU,
    from: `for (let cpu = this.cpus.used - 1; cpu >= 0; cpu--)
            if (this.section(cpu) !== 0)
                return false;`,
    to: "if (this.isInside()) return false;",
    oracle: "early-reuse",
    scenario: "freercu",
  },
  {
    id: "RCU1",
    what: "a period that runs already is taken for the grace period",
    file: RCU,
    from: "this.seq) + 2 * RCU_STEP) | 0;",
    to: "this.seq) + RCU_STEP) | 0;",
    oracle: "early-reuse",
    scenario: "rcu-drivers",
  },
  {
    id: "M33",
    what: "a queue that a dead CPU has claimed is never taken over",
    file: "cpu/cpu.js",
    from: "if (holder === 0 || !this.cpus.isStale(holder))",
    to: "if (holder !== 0 || holder === 0)",
    oracle: "leak",
    scenario: "callbacks-death",
  },
  {
    id: "G9",
    what: "a batch is taken before it is named",
    file: "rcu/callbacks.js",
    from: `writePrivate(this.words, queue + QUEUE_WAIT, first);
            // pairs with call: fails only because the queue's owner gave another one
            if (cmpxchg(this.words, queue + QUEUE_NEXT, first, 0) === first)
                return;`,
    to: `if (cmpxchg(this.words, queue + QUEUE_NEXT, first, 0) !== first)
                continue;
            writePrivate(this.words, queue + QUEUE_WAIT, first);
            return;`,
    oracle: "leak",
    scenario: "callbacks-death",
  },
  {
    id: "G10",
    what: "a batch that a dead CPU had named, and not taken, runs twice",
    file: "rcu/callbacks.js",
    from: "this.recover(queue);",
    to: ";",
    oracle: "leak",
    scenario: "callbacks-death",
  },
];
