// A second thread for a scenario, and what the scenario asks of it.

/** Starts a thread, which has attached to the heap when this resolves. Let it `leave` before the heap is checked. */
export async function startPartner(token) {
  const worker = new Worker(new URL("./partner-worker.mjs", import.meta.url), { type: "module" });
  const ask = (job, options) => {
    worker.postMessage({ job, options });
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.answer));
      worker.onerror = ({ message }) => reject(new Error(`the other thread: ${message}`));
    });
  };
  const leave = async () => {
    await ask("leave");
    worker.terminate();
  };
  await ask("attach", { token });
  return { ask, leave };
}
