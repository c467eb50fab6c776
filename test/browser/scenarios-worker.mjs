// Runs the scenario whose name it is sent, in a module worker.

import { run } from "./scenarios.mjs";

self.onmessage = async ({ data: name }) => {
  try {
    await run(name);
    postMessage({});
  } catch (error) {
    postMessage({ error: error.stack });
  }
};
