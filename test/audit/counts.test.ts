/** What an audit finds of pages, records and counts; and when it refuses to look. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  PHASE_FILLING,
  PHASE_MASK,
  PHASE_PENDING,
  PHASE_RELEASING,
  RECORD_DATA,
  RECORD_STATE,
} from "#src/arena/layout.js";
import { enterContext, NMI_SHIFT } from "#src/cpu/index.js";
import {
  ALLOC_PERCPU,
  CHAINS,
  HAND,
  HAND_BUSY,
  PIN,
  ROUND_PENDING,
  TAKEN,
  TAKER,
} from "#src/memalloc/layout.js";
import {
  CACHE_PERCPU,
  CACHE_SLABS,
  CACHE_TAKER,
  MEMCG_CURRENT,
  MEMCG_LOST,
  MEMCG_REFS,
  SLAB_CPU_LOCK,
  STOCK_LOCK,
} from "#src/mm/layout.js";
import { LOCAL_HAND, LOCAL_QUEUES, QUEUE_TAKER, QUEUE_WORDS } from "#src/rcu/layout.js";
import { throwsCode } from "../memalloc/heaps.ts";
import { layersOf, mends, type Scene, SIZE, scene } from "./scene.ts";

/** A record, by its name. */
function recordOf({ system }: Scene, name: string): number {
  const { registry, memcgs, directory } = system;
  const found = [...registry.every(), ...memcgs.every()].find(
    ({ record }) => directory.nameOf(record) === name,
  );
  assert.ok(found);
  return found.record;
}

function setPhase(at: Scene, record: number, phase: number): void {
  at.words[record + RECORD_STATE] = (at.words[record + RECORD_STATE] & ~PHASE_MASK) | phase;
}

describe("pages", () => {
  for (const count of [1, 20, 33, 70]) {
    test(`${count} that were claimed for nothing`, () => {
      const at = scene();
      const page = at.system.pages.alloc(count);
      // as a slab that was half made
      at.system.pages.setUse(page + count - 1, 2, count - 1);
      const { pages } = mends(at);
      assert.deepEqual(pages, [{ p: page * 4096, pages: count }]);
      assert.equal(at.system.pages.alloc(count), page);
    });
  }

  test("a count that is wrong, and a full word that was not moved up", () => {
    const at = scene();
    const { pages } = at.system;
    const { levels } = (pages as unknown as { tables: { levels: number[] } }).tables;
    const page = pages.alloc(32);
    assert.equal(page % 32, 0);
    at.words[levels[0] + page / 32] = -1;
    const { corrected } = mends(at);
    assert.match(corrected.join("\n"), /1 full words were not moved up/);
    assert.match(corrected.join("\n"), /\d+ in use were counted/);
  });
});

describe("records", () => {
  for (const phase of [PHASE_FILLING, PHASE_PENDING]) {
    for (const name of ["late", "late group"]) {
      test(`"${name}" in phase ${phase}: it may be used again`, () => {
        const at = scene();
        at.heap.memcg({ name: "late group" }).drop();
        const late = at.heap.memCache({ name: "late", size: SIZE });
        void late.destroy();
        for (const heap of [at.heap, at.other, at.heap]) for (let i = 0; i < 10; i++) heap.poll();
        const record = recordOf(at, name);
        setPhase(at, record, phase);
        const report = at.heap.audit();
        assert.match(report.records.join("\n"), new RegExp(`"${name}" was half made`));
        assert.equal(at.heap.audit().isClean, true);
        assert.equal(at.words[record + RECORD_STATE] & PHASE_MASK, 0);
        at.heap.checkInvariants();
      });
    }
  }

  for (const handedUp of [false, true]) {
    test(`an allocator that is half gone, when what it lost was ${handedUp ? "" : "not "}the group's`, () => {
      const at = scene();
      const record = recordOf(at, "pool");
      const group = recordOf(at, "group");
      at.other.detach();
      at.system.allocators.giveUpAll();
      for (let i = 0; i < 10; i++) at.heap.poll();
      const { registry, allocators } = at.system;
      assert.ok(registry.drain({ record, generation: 1 }));
      assert.ok(registry.claimRelease({ record, generation: 1 }));
      const [pool] = allocators.releasing();
      const units = allocators.lostUnits(pool);
      assert.equal(units, (at.out.length * (SIZE + 8)) / 8);
      if (handedUp) at.system.memcgs.lose(group, units);
      const report = at.heap.audit();
      assert.deepEqual(report.records, ['allocator "pool" was half gone']);
      assert.equal(report.books.leaked, at.out.length);
      assert.equal(at.words[group + MEMCG_LOST], units);
      at.heap.checkInvariants();
      assert.equal(at.heap.audit().isClean, true);
      at.heap.memcg({ name: "group" }).drop();
      assert.equal(at.words[recordOf(at, "parent") + MEMCG_LOST], units);
    });
  }

  test("one that was reserved for an allocator of one size, and never filled in, is for such ones only", () => {
    const at = scene();
    const { registry } = at.system;
    const { record } = (
      registry as unknown as { firstOf(sort: number, name: string): { record: number } }
    ).firstOf(1, "fixed");
    assert.deepEqual(at.heap.audit().records, ['allocator "fixed" was half made']);
    at.heap.memAlloc({ name: "of any size" });
    assert.notEqual(recordOf(at, "of any size"), record);
    at.heap.memCache({ name: "of one size", size: SIZE });
    assert.equal(recordOf(at, "of one size"), record);
  });

  test("a group that is half gone", () => {
    const at = scene();
    const group = at.heap.memcg({ name: "late", parent: at.heap.memcg({ name: "parent" }) });
    const record = recordOf(at, "late");
    assert.equal(group.name, "late");
    assert.ok(at.system.memcgs.drain({ record, generation: 1 }));
    setPhase(at, record, PHASE_RELEASING);
    const { records, corrected } = mends(at);
    assert.deepEqual(records, ['group "late" was half gone']);
    assert.match(corrected.join("\n"), /group "parent": 2 holds were counted, 1 there/);
  });
});

describe("counts", () => {
  const words: [string, RegExp, (at: Scene) => number][] = [
    ["objects taken", /counted as taken from slab/, ({ cache }) => cache + TAKEN],
    ["chains", /chains were counted/, ({ cache }) => cache + CHAINS],
    ["slabs", /slabs were counted/, ({ slabCache }) => slabCache + CACHE_SLABS],
    ["charges", /bytes were charged/, (at) => recordOf(at, "group") + MEMCG_CURRENT],
    ["charges of a parent", /bytes were charged/, (at) => recordOf(at, "parent") + MEMCG_CURRENT],
    ["holds", /holds were counted/, (at) => recordOf(at, "group") + MEMCG_REFS],
  ];
  for (const [name, line, word] of words) {
    for (const error of [1, -1, 1000]) {
      test(`${name}, off by ${error}`, () => {
        const at = scene();
        const before = at.words[word(at)];
        at.words[word(at)] += error;
        const report = at.heap.audit();
        assert.match(report.corrected.join("\n"), line);
        assert.deepEqual([report.inHand, report.slabs, report.pages, report.records], [[], [], [], []]);
        assert.equal(at.words[word(at)], before);
        at.heap.checkInvariants();
        assert.equal(at.heap.audit().isClean, true);
      });
    }
  }

  test("a round that was asked for, and not given", () => {
    const at = scene();
    at.words[at.cache + ROUND_PENDING] = 1;
    assert.match(at.heap.audit().corrected.join("\n"), /a round was said to be pending/);
    assert.equal(at.words[at.cache + ROUND_PENDING], 0);
    assert.equal(at.heap.audit().isClean, true);
  });

  test("a pin of a CPU that nobody has", () => {
    const at = scene();
    at.other.detach();
    const percpu = at.words[recordOf(at, "pool") + RECORD_DATA + ALLOC_PERCPU];
    at.words[at.system.areas.areaOf(1) + percpu + PIN] = 1;
    assert.match(at.heap.audit().corrected.join("\n"), /"pool" was pinned by CPU 1, which is free/);
    assert.equal(at.heap.audit().isClean, true);
  });

  test("taker words of a thread that is gone", () => {
    const at = scene();
    const { claim } = layersOf(at.other).cpu;
    at.other.detach();
    const queue = at.system.areas.areaOf(1) + at.system.rcuPlace.local + LOCAL_QUEUES + 2 * QUEUE_WORDS;
    const takers = [queue + QUEUE_TAKER, at.cache + TAKER, at.slabCache + CACHE_TAKER];
    for (const taker of takers) at.words[taker] = claim;
    assert.equal(at.heap.audit().corrected.length, 3);
    assert.deepEqual(
      takers.map((taker) => at.words[taker]),
      [0, 0, 0],
    );
    assert.equal(at.heap.audit().isClean, true);
  });
});

describe("it is not quiet", () => {
  const area = (at: Scene) => at.system.areas.areaOf(1);
  const local = (at: Scene) => area(at) + at.system.rcuPlace.local;
  const busy: [string, RegExp, (at: Scene) => void][] = [
    ["a context", /CPU 1 is in a nested context/, (at) => enterContext(at.words, area(at), NMI_SHIFT)],
    [
      "an alloc",
      /CPU 1 is in the middle of an alloc or a free/,
      (at) => (at.words[at.system.areas.instanceOn(1, at.cache) + HAND] = HAND_BUSY),
    ],
    [
      "an alloc of slab",
      /CPU 1 is in the middle of an alloc or a free of slab/,
      (at) => (at.words[area(at) + at.words[at.slabCache + CACHE_PERCPU] + SLAB_CPU_LOCK] = 1),
    ],
    ["a charge", /CPU 1 is charging/, (at) => (at.words[area(at) + at.system.chargeStock + STOCK_LOCK] = 1)],
    ["a callback", /CPU 1 is running a callback/, (at) => (at.words[local(at) + LOCAL_HAND] = 4096)],
    ["an RCU section", /CPU 1 is inside an RCU read section/, (at) => at.other.rcu.readLock()],
    ["an async section", /CPU 1 has tasks-trace sections/, (at) => void at.other.rcu.tasksTrace.enter()],
    [
      "a queue",
      /CPU 1 holds queue 2 of CPU 0/,
      (at) => {
        const queue = at.system.cpu.area + at.system.rcuPlace.local + LOCAL_QUEUES + 2 * QUEUE_WORDS;
        at.words[queue + QUEUE_TAKER] = layersOf(at.other).cpu.claim;
      },
    ],
    ["a death", /CPU 1 is dead: reap/, (at) => void at.system.cpus.markDead(1, 1)],
    ["a detach", /CPU 1 detaches/, (at) => at.system.cpus.beginDetach(1)],
    ["a section of its own", /inside a read section/, (at) => at.heap.rcu.readLock()],
  ];
  for (const [name, message, begin] of busy) {
    test(name, () => {
      const at = scene();
      begin(at);
      const before = at.words.slice();
      assert.match(
        throwsCode("bad-context", () => at.heap.audit()),
        message,
      );
      assert.deepEqual(at.words, before);
    });
  }

  test("a context of its own, and after detach", () => {
    const { heap } = scene();
    heap.context.softirq(() => throwsCode("bad-context", () => heap.audit()));
    heap.detach();
    throwsCode("detached", () => heap.audit());
  });
});
