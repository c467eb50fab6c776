// Where the scenarios can run; the test calls `places[where](name)`.

import { run, scenarios } from "./scenarios.mjs";

async function inWorker(name) {
  const worker = new Worker(new URL("./scenarios-worker.mjs", import.meta.url), { type: "module" });
  worker.postMessage(name);
  const error = await new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data.error);
    worker.onerror = ({ message }) => resolve(message);
  });
  worker.terminate();
  if (error) throw new Error(error);
}

globalThis.places = { "main thread": run, "module worker": inWorker };
globalThis.names = Object.keys(scenarios);
