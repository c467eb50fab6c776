import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memblock } from "#src/arena/index.js";
import { Cpus } from "#src/cpu/index.js";
import { GENERATION_MASK, SLOT_STATE, SLOT_THREAD, STATE_BITS } from "#src/cpu/layout.js";
import { throwsCode } from "../support/errors.ts";
import { runThreads } from "../support/threads.ts";

const worker = new URL("./cpus-worker.js", import.meta.url);

function newCpusTable(maxCpus: number): Cpus {
  return new Cpus(new Int32Array(new SharedArrayBuffer(64 * 64 + 64)), maxCpus, new Memblock(16));
}

test("CPUs nobody ever had are free, nameless and of generation 0", () => {
  const cpus = newCpusTable(2);
  assert.deepEqual(cpus.list(), [
    { cpu: 0, state: "free", generation: 0, name: "" },
    { cpu: 1, state: "free", generation: 0, name: "" },
  ]);
});

test("a CPU is online, then dying, then free, and its generation counts its owners", () => {
  const cpus = newCpusTable(1);
  for (let generation = 1; generation <= 3; generation++) {
    assert.equal(cpus.attach(`owner ${generation}`), 0);
    assert.equal(cpus.generationOf(0), generation);
    assert.deepEqual(cpus.list(), [{ cpu: 0, state: "online", generation, name: `owner ${generation}` }]);
    cpus.beginDetach(0);
    assert.equal(cpus.list()[0]?.state, "dying");
    throwsCode("full", () => cpus.attach("too early"));
    cpus.finishDetach(0);
    assert.deepEqual([cpus.list()[0]?.state, cpus.generationOf(0)], ["free", generation]);
  }
});

test("full names the holders, dying ones too, and says what to do", () => {
  const cpus = newCpusTable(3);
  for (const name of ["audio", "", "net"]) cpus.attach(name);
  cpus.beginDetach(2);
  const message =
    /all 3 CPUs are taken \(CPU 0 audio; CPU 1 \(no name\); CPU 2 net, dying\): detach.*reap.*maxCpus/;
  throwsCode("full", () => cpus.attach("one more"), message);
});

test("a slot says whose it is as long as it is, and from before it is", () => {
  const cpus = newCpusTable(2);
  assert.equal(cpus.attach("a", 7), 0);
  assert.equal(cpus.threadOf(0), 7);
  cpus.finishDetach(0, 7);
  assert.equal(cpus.threadOf(0), 0);
  assert.equal(cpus.attach("b", 8), 0);
  cpus.markDead(0, 2);
  cpus.beginReap(0, 1);
  cpus.endReap(0);
  assert.equal(cpus.threadOf(0), 0);
});

test("a thread that ends while it takes a CPU, or has given it back, is in the way until its end is seen", () => {
  const cpus = newCpusTable(2);
  cpus.words[16 + SLOT_THREAD] = 7;
  assert.equal(cpus.attach("a", 8), 1);
  throwsCode("full", () => cpus.attach("b", 9));
  cpus.forgetThread(0, 9);
  throwsCode("full", () => cpus.attach("b", 9));
  cpus.forgetThread(0, 7);
  assert.equal(cpus.attach("b", 9), 0);
  assert.deepEqual([cpus.threadOf(0), cpus.threadOf(1)], [9, 8]);
});

test("generations wrap without spilling into the state", () => {
  const cpus = newCpusTable(1);
  cpus.words[16 + SLOT_STATE] = GENERATION_MASK << STATE_BITS;
  assert.equal(cpus.generationOf(0), GENERATION_MASK);
  cpus.attach("a");
  assert.deepEqual([cpus.generationOf(0), cpus.list()[0]?.state], [0, "online"]);
});

test("any sequence of attach and detach does what a table does", () => {
  const step = fc.record({ attach: fc.boolean(), pick: fc.nat(7) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (maxCpus, steps) => {
      const cpus = newCpusTable(maxCpus);
      const model = Array.from({ length: maxCpus }, () => ({ online: false, generation: 0 }));
      for (const { attach, pick } of steps) {
        const slot = attach ? model.find(({ online }) => !online) : model[pick % maxCpus];
        if (attach && slot === undefined) throwsCode("full", () => cpus.attach("x"));
        if (slot === undefined || (!attach && !slot.online)) continue;
        if (attach) assert.equal(cpus.attach("x"), model.indexOf(slot), "the first free one is taken");
        else cpus.finishDetach(model.indexOf(slot));
        slot.online = attach;
        slot.generation += attach ? 1 : 0;
        assert.deepEqual(
          cpus.list().map(({ state, generation }) => ({ online: state === "online", generation })),
          model,
        );
      }
    }),
  );
});

test("threads that attach and detach at once never share a CPU", { timeout: 60_000 }, async () => {
  const { words } = newCpusTable(2);
  const owners = new Int32Array(new SharedArrayBuffer(8));
  const jobs = [1, 2, 3].map((id) => ({ words, owners, id, rounds: 20_000 }));
  const attached = await runThreads<number>(worker, jobs);
  const cpus = new Cpus(words, 2, new Memblock(16));
  const generations = cpus.generationOf(0) + cpus.generationOf(1);
  assert.equal(
    attached.reduce((sum, count) => sum + count, 0),
    generations,
  );
  assert.ok(cpus.list().every(({ state }) => state === "free"));
});
