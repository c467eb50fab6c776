import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memblock } from "#src/arena/index.js";
import { type JobHandler, Workqueue } from "#src/cpu/index.js";
import { JOB_SLOTS } from "#src/cpu/layout.js";
import { runThreads } from "../support/threads.ts";

const worker = new URL("./workqueue-worker.js", import.meta.url);

/** Workqueues of two CPUs over the same table. */
function twoQueues(handlers: JobHandler[]): [Workqueue, Workqueue] {
  const words = new Int32Array(1024);
  return [0, 1].map(() => new Workqueue(words, new Memblock(16), handlers)) as [Workqueue, Workqueue];
}

test("a job runs once, with its code and argument, on whichever CPU polls first", () => {
  const ran: string[] = [];
  const [a, b] = twoQueues([0, 1].map((code) => (argument) => ran.push(`${code}:${argument}`)));
  assert.equal(a.run(0), 0);
  assert.equal(a.queue(0, 1, 1234), true);
  assert.equal(a.queue(0, 0, -1), true);
  assert.deepEqual(ran, [], "queueing runs nothing");
  assert.equal(b.run(1), 2);
  assert.deepEqual(ran.toSorted(), ["0:-1", "1:1234"]);
  assert.deepEqual([a.run(0), b.run(1)], [0, 0]);
});

test("any sequence of queue and run on two CPUs runs each job once", () => {
  const step = fc.record({ cpu: fc.nat(1), jobs: fc.nat(80) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const ran: number[] = [];
      const queues = twoQueues([(argument) => ran.push(argument)]);
      let expected: number[] = [];
      let next = 0;
      for (const { cpu, jobs } of steps) {
        for (let i = 0; i < jobs; i++, next++) {
          const fits = expected.length < JOB_SLOTS;
          assert.equal(queues[cpu as 0 | 1].queue(cpu, 0, next), fits);
          if (fits) expected.push(next);
        }
        if (jobs % 2 === 1) continue;
        assert.equal(queues[cpu as 0 | 1].run(cpu), expected.length);
        assert.deepEqual(
          ran.splice(0).toSorted((x, y) => x - y),
          expected,
        );
        expected = [];
      }
    }),
  );
});

test("codes up to 255 on CPUs up to 63 arrive as they were given", () => {
  const ran: string[] = [];
  const handlers = Array.from(
    { length: 256 },
    (_, code) => (argument: number) => ran.push(`${code}:${argument}`),
  );
  const [a, b] = twoQueues(handlers);
  for (const code of [0, 1, 15, 16, 127, 128, 255]) {
    assert.equal(a.queue(63, code, code * 1000), true);
    assert.equal(b.run(62), 1);
    assert.deepEqual(ran.splice(0), [`${code}:${code * 1000}`]);
  }
});

test("a full table refuses and loses nothing; one run makes room for as many again", () => {
  let ran = 0;
  const [a, b] = twoQueues([() => ran++]);
  for (let i = 0; i < JOB_SLOTS; i++) assert.equal(a.queue(0, 0, i), true);
  for (let i = 0; i < 3; i++) assert.equal((i % 2 ? a : b).queue(0, 0, 0), false);
  assert.equal(b.run(1), JOB_SLOTS);
  assert.equal(ran, JOB_SLOTS);
  for (let i = 0; i < JOB_SLOTS; i++) assert.equal(b.queue(1, 0, i), true);
});

test("a job that queues jobs and polls, on either CPU, runs each once", () => {
  const ran: number[] = [];
  const queues: [Workqueue, Workqueue] = twoQueues([
    (depth) => {
      ran.push(depth);
      if (depth === 0) return;
      queues[0].queue(0, 0, depth - 1);
      queues[1].run(1);
    },
  ]);
  queues[0].queue(0, 0, 5);
  queues[0].run(0);
  assert.deepEqual(ran, [5, 4, 3, 2, 1, 0]);
  assert.equal(queues[1].run(1), 0);
});

test("a job that throws gives its slot back and is not run again", () => {
  const [a] = twoQueues([
    () => {
      throw new Error("on purpose");
    },
    () => {},
  ]);
  for (let round = 0; round < JOB_SLOTS + 1; round++) {
    assert.equal(a.queue(0, 0, 0), true, `round ${round}`);
    assert.throws(() => a.run(0), /on purpose/);
    assert.equal(a.run(0), 0);
  }
});

test("threads that queue and run at once run each job once", { timeout: 60_000 }, async () => {
  const threads = 3;
  const each = 20_000;
  const words = new Int32Array(new SharedArrayBuffer(4096));
  const counts = new Int32Array(new SharedArrayBuffer(threads * each * 4));
  const jobs = Array.from({ length: threads }, (_, cpu) => ({ words, counts, cpu, each }));
  const ran = await runThreads<number>(worker, jobs);
  assert.equal(
    ran.reduce((sum, count) => sum + count, 0),
    threads * each,
  );
  assert.ok(counts.every((count) => count === 1));
});
