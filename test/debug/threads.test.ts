/** Debug heaps on real threads: who allocated, who freed and who wrote are three. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settle, usedObjects } from "../memalloc/heaps.ts";
import { runThreads } from "../support/threads.ts";
import { debugCpus, MIB, says, saysSites } from "./support.ts";
import type { Answer, Job } from "./threads-worker.ts";

const WORKER = new URL("./threads-worker.js", import.meta.url);

test("allocated on one thread, freed on another, written to by a third: the second is told, and of both sites", async () => {
  const [heap] = debugCpus(1, { maxCpus: 4 });
  const stage = new Int32Array(new SharedArrayBuffer(4));
  const jobs = (["allocates", "frees", "writes"] as const).map(
    (role): Job => ({ token: heap.token, role, stage, seed: 0 }),
  );
  const answers = await runThreads<Answer>(WORKER, jobs);
  const [allocated, freed, wrote] = answers;
  assert.deepEqual([allocated.told, wrote.told], ["", ""]);
  says(freed.told, "use after free: from offset 7 on", /allocated at \S+ \(CPU \d allocates\)/);
  says(freed.told, /freed at \S+ \(CPU \d frees\)/);
  saysSites(freed.told, allocated.place, freed.place);
  assert.deepEqual(heap.verify(), []);
});

test("threads that allocate and free each other's objects at random: nothing is found that is not there", async () => {
  const [heap] = debugCpus(1, { maxCpus: 5, bytes: 16 * MIB });
  const stage = new Int32Array(new SharedArrayBuffer(4 * 33));
  const jobs = [1, 2, 3, 4].map((seed): Job => ({ token: heap.token, role: "mixes", stage, seed }));
  const answers = await runThreads<Answer>(WORKER, jobs);
  assert.deepEqual(
    answers.map(({ told }) => told),
    ["", "", "", ""],
  );
  heap.checkInvariants();
  const pool = heap.memCache({ name: "fixed", size: 64 });
  for (const p of stage.subarray(1).filter((each) => each !== 0)) {
    const isFixed = heap.verify().length === 0 && isOf(() => pool.free(p));
    if (!isFixed) heap.free(p);
  }
  settle(heap);
  heap.detach();
  assert.equal(usedObjects(heap), 0);
});

function isOf(free: () => void): boolean {
  try {
    free();
    return true;
  } catch {
    return false;
  }
}
