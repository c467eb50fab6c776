import assert from "node:assert/strict";
import { test } from "node:test";
import { runCrew } from "#src/cli/crew.js";
import { CliError } from "#src/cli/exit.js";

/** A worker that posts its job, or does what the job says. */
const code = `
  import { parentPort, workerData } from "node:worker_threads";
  if (workerData === "throw") throw new Error("out of luck");
  if (workerData === "exit") process.exit(3);
  if (workerData === "sleep") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (workerData === "spin") while (true);
  parentPort.postMessage(workerData);
`;
const module = new URL(`data:text/javascript,${encodeURIComponent(code)}`);

async function rejectsWith(jobs: string[], message: RegExp): Promise<void> {
  await assert.rejects(runCrew(module, jobs), (error) => {
    assert.ok(error instanceof CliError);
    assert.equal(error.exitCode, 1);
    assert.match(error.message, message);
    return true;
  });
}

test("answers come in the order of the jobs", async () => {
  assert.deepEqual(await runCrew(module, ["a", "b", "c"]), ["a", "b", "c"]);
});

test("one that throws stops the others, asleep or busy", { timeout: 60_000 }, async () => {
  await rejectsWith(["sleep", "spin", "throw"], /^worker 2 died: out of luck$/);
});

test("one that leaves without an answer has died too", { timeout: 60_000 }, async () => {
  await rejectsWith(["exit", "sleep"], /^worker 0 died: it exited with code 3$/);
});
