/**
 * Counters across workers, and a page that shows them: each worker counts in slots of its own, so counting costs it no
 * more than if it were alone; whoever is asked for the page adds up.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type PerCpuCounter, SharedHeap } from "sharedheap";

const NAMES = ["requests_total", "errors_total", "bytes_sent_total"] as const;
const WORKERS = 3;
const REQUESTS = 20_000;

/** The counters, by name. The first thread makes them, the others find them. */
class Metrics {
  private readonly counters: ReadonlyMap<string, PerCpuCounter>;

  constructor(heap: SharedHeap) {
    this.counters = new Map(
      NAMES.map((name) => {
        const counter = heap.percpu.counter(heap.roots.get(name));
        heap.roots.set(name, counter.offset);
        return [name, counter];
      }),
    );
  }

  count(name: (typeof NAMES)[number], by = 1): void {
    this.counters.get(name)?.add(by);
  }

  /** In the format that Prometheus reads. */
  page(): string {
    const lines = [...this.counters].map(
      ([name, counter]) => `# TYPE ${name} counter\n${name} ${counter.readExact()}`,
    );
    return `${lines.join("\n")}\n`;
  }
}

function work(): void {
  using heap = SharedHeap.attach(workerData, { name: "worker" });
  const metrics = new Metrics(heap);
  for (let i = 0; i < REQUESTS; i++) {
    metrics.count("requests_total");
    if (i % 100 === 0) metrics.count("errors_total");
    metrics.count("bytes_sent_total", 1_000_000);
  }
}

async function main(): Promise<void> {
  using heap = SharedHeap.create({ bytes: 2 ** 22, maxCpus: 1 + WORKERS });
  const metrics = new Metrics(heap);
  const server = createServer((_request, response) => response.end(metrics.page())).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL(import.meta.url), { workerData: heap.token }),
  );
  const exits = workers.map((worker) => once(worker, "exit"));
  await (await fetch(url)).text(); // at any time, without disturbing those who count
  await Promise.all(exits);
  const page = await (await fetch(url)).text();
  server.close();
  assert.match(page, new RegExp(`requests_total ${WORKERS * REQUESTS}\n`));
  assert.match(page, new RegExp(`errors_total ${(WORKERS * REQUESTS) / 100}\n`));
  assert.match(page, new RegExp(`bytes_sent_total ${WORKERS * REQUESTS * 1_000_000}\n`));
  heap.checkInvariants();
}

if (isMainThread) await main();
else work();
