// A thread of deaths-page.mjs: attaches, and is idle or busy until it is ended.

import { SharedHeap } from "../../dist/index.js";

let heap;

self.onmessage = async ({ data }) => {
  if (data === "detach") {
    heap.detach();
    return;
  }
  const { token, kind } = data;
  heap = SharedHeap.attach(token, { name: kind });
  if (kind === "never turns") work();
  await lock(heap.cpu);
  postMessage("attached");
  // in a turn of its own, so that the message gets away
  if (kind === "busy") setTimeout(work);
};

/** Until this thread has its lock. */
async function lock(cpu) {
  for (;;) {
    const { held } = await navigator.locks.query();
    if (held.some(({ name }) => name.startsWith("sharedheap") && name.includes(` CPU ${cpu} `))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function work() {
  const pool = heap.memAlloc({ name: "objects" });
  for (;;) {
    const objects = Array.from({ length: 100 }, (_, i) => pool.alloc(1 + ((i * 97) % 4000)));
    for (const p of objects) pool.freeRcu(p);
  }
}
