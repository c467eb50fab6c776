import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { HandOver } from "#src/cli/hand-over.js";

const OFFSETS = [8, 16, 2 ** 31, 2 ** 32 - 8, 0];

test("what is kept or published comes back, and the word is free for the next round", () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const handOver = new HandOver(words);
  for (const offset of OFFSETS) {
    handOver.keep(0, offset);
    assert.equal(handOver.take(0), offset);
    handOver.publish(1, offset);
    assert.equal(handOver.receive(1), offset);
    assert.deepEqual([...words], [0, 0]);
  }
});

test("a sleeping receiver is woken", { timeout: 60_000 }, async () => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const module = JSON.stringify(import.meta.resolve("#src/cli/hand-over.js"));
  const code = `
    const { HandOver } = await import(${module});
    const { parentPort, workerData } = await import("node:worker_threads");
    parentPort.postMessage(new HandOver(workerData).receive(1));
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  for (const offset of OFFSETS) {
    const worker = new Worker(url, { workerData: words });
    const answer = new Promise((resolve) => worker.once("message", resolve));
    // It announces that it sleeps by changing the word.
    while (Atomics.load(words, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    new HandOver(words).publish(1, offset);
    assert.equal(await answer, offset);
    assert.equal(Atomics.load(words, 1), 0);
  }
});
