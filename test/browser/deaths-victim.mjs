// A thread of deaths-torture.mjs.

import { Member } from "../../build/test/torture/kill/member.js";
import * as library from "../../dist/index.js";

/** Some threads have no more turns once they work: they die in the middle of something. */
const BUSY_ONE_OF = 4;

const { port1, port2 } = new MessageChannel();

/** A later turn of the event loop, sooner than timers have one. */
function turn() {
  return new Promise((resolve) => {
    port1.onmessage = resolve;
    port2.postMessage(0);
  });
}

async function live(role, job) {
  const member = new Member(library, job, role, { turn, onCall: () => {}, stays: role === "victim" });
  const { board } = member;
  await lock(member.heap);
  postMessage({ word: "watched" });
  await turn();
  const isBusy = role === "victim" && member.random(BUSY_ONE_OF) === 0;
  // by then it does only what needs no turn
  while (!board.isStopped) {
    if (isBusy) member.actAtOnce();
    else {
      await member.act();
      await turn();
    }
  }
  member.heap.detach();
  postMessage({ word: "detached" });
}

/** Until this thread has its lock: from then on it is watched. */
async function lock(heap) {
  const { generation } = heap.cpus()[heap.cpu];
  const name = ` CPU ${heap.cpu} generation ${generation}`;
  for (;;) {
    const { held } = await navigator.locks.query();
    if (held.some((each) => each.name.endsWith(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

self.onmessage = ({ data: { role, job } }) => {
  live(role, job).catch((error) => postMessage({ error: error.stack ?? String(error) }));
};
