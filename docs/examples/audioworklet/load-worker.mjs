// A thread that keeps the allocator busy: bursts of allocs and frees of all sizes, of voices too, and of objects that
// it hands to whoever else runs this. Between bursts it rests for a moment.

import { SharedHeap } from "../../../dist/index.js";
import { DESK_STOP, VOICE_BYTES } from "./layout.mjs";

const BURST = 1000;
const REST_MS = 1;
const HELD = 500;

class Load {
  constructor({ token, exchange, seed }) {
    this.heap = SharedHeap.attach(token, { name: `load ${seed}` });
    this.any = this.heap.memAlloc({ name: "load" });
    this.voices = this.heap.memCache({ name: "voice", size: VOICE_BYTES });
    this.desk = this.heap.roots.get("desk");
    this.exchange = exchange;
    this.held = { any: new Int32Array(HELD), voices: new Int32Array(HELD) };
    this.random = seed;
  }

  pick(below) {
    this.random = (Math.imul(this.random, 1103515245) + 12345) | 0;
    return Math.floor(((this.random >>> 8) / 2 ** 24) * below);
  }

  /** Frees what is in some place and puts a new object there; at times it goes to another thread instead. */
  step() {
    const at = this.pick(HELD);
    this.voices.free(this.held.voices[at]);
    this.held.voices[at] = this.voices.alloc();
    this.any.free(this.held.any[at]);
    const p = this.any.alloc(1 + this.pick(this.pick(8) === 0 ? 4000 : 300));
    this.held.any[at] = Atomics.exchange(this.exchange, this.pick(this.exchange.length), p);
  }

  /** The thread has no turns while it is in here. `poll` does what they would, for the audio thread too. */
  run() {
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (Atomics.load(this.heap.i32, (this.desk >>> 2) + DESK_STOP) === 0) {
      for (let i = 0; i < BURST; i++) this.step();
      this.heap.poll();
      Atomics.wait(never, 0, 0, REST_MS);
    }
  }

  leave() {
    for (const p of this.held.voices) this.voices.free(p);
    for (const p of this.held.any) this.any.free(p);
    for (let i = 0; i < this.exchange.length; i++) this.any.free(Atomics.exchange(this.exchange, i, 0));
    this.heap.detach();
  }
}

self.onmessage = ({ data }) => {
  const load = new Load(data);
  load.run();
  load.leave();
  postMessage("stopped");
};
