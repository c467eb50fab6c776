// The thread behind partner.mjs.

import { SharedHeap } from "../../dist/index.js";
import { jobs } from "./jobs.mjs";

let heap;

function perform({ job, options }) {
  if (job === "attach") heap = SharedHeap.attach(options.token, { name: "partner" });
  else if (job === "leave") heap.detach();
  else return jobs[job](heap, options);
  return undefined;
}

self.onmessage = ({ data }) => {
  try {
    postMessage({ answer: perform(data) });
  } catch (error) {
    postMessage({ error: error.stack });
  }
};
