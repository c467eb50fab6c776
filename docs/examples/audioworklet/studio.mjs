// The page's side of the music: makes the heap, starts the threads, and in the end looks whether everything is back.

import { GFP_ZERO, SharedHeap } from "../../../dist/index.js";
import { DESK_BYTES, DESK_NULLS, DESK_PACE, DESK_SOUNDING, DESK_STARTED, DESK_STOP } from "./layout.mjs";
import { letGo, openNotes, press } from "./notes.mjs";

const HEAP_BYTES = 32 * 2 ** 20;
const MAX_CPUS = 8;
/** Objects that load workers have on offer to each other. */
const EXCHANGE = 64;

export class Studio {
  constructor({ pace }) {
    this.heap = SharedHeap.create({ bytes: HEAP_BYTES, maxCpus: MAX_CPUS, name: "page" });
    this.notes = openNotes(this.heap);
    this.desk = this.heap.kmalloc(DESK_BYTES, GFP_ZERO);
    this.heap.roots.set("desk", this.desk);
    this.pace = pace;
    this.exchange = new Int32Array(new SharedArrayBuffer(EXCHANGE * 4));
    this.workers = [];
    this.held = new Set();
  }

  /** Starts the audio thread. Call it when the user has clicked: pages must not make noise before. */
  async open({
    worklet = new URL("./worklet.mjs", import.meta.url),
    processor = "synth",
    options = {},
  } = {}) {
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(worklet);
    this.node = new AudioWorkletNode(this.context, processor, {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { token: this.heap.token, ...options },
    });
    this.node.onprocessorerror = () => reportError(new Error("the audio thread threw an error"));
    this.node.connect(new DynamicsCompressorNode(this.context)).connect(this.context.destination);
    await this.context.resume();
  }

  /** One more thread that allocates. */
  addLoad() {
    const worker = new Worker(new URL("./load-worker.mjs", import.meta.url), { type: "module" });
    this.workers.push(worker);
    worker.postMessage({ token: this.heap.token, exchange: this.exchange, seed: this.workers.length });
  }

  /** A key goes down. Returns the note, or 0. */
  press(frequency) {
    const p = press(this.heap, this.notes, this.desk, frequency);
    if (p !== 0) this.held.add(p);
    return p;
  }

  /** That key goes up. The audio thread may have let go of the note before: then it is freed here. */
  release(p) {
    if (this.held.delete(p)) letGo(this.heap, this.notes, p);
  }

  set pace(quanta) {
    Atomics.store(this.heap.i32, (this.desk >>> 2) + DESK_PACE, quanta);
  }

  get figures() {
    const read = (counter) => Atomics.load(this.heap.i32, (this.desk >>> 2) + counter);
    return { started: read(DESK_STARTED), sounding: read(DESK_SOUNDING), nulls: read(DESK_NULLS) };
  }

  /**
   * Ends all threads. Resolves to what is still out of each allocator, after every invariant has been checked.
   * `atLast` is called when no other thread is there any more.
   */
  async close(atLast = () => {}) {
    for (const p of this.held) this.release(p);
    const threads = [this.node.port, ...this.workers].map(stopped);
    Atomics.store(this.heap.i32, (this.desk >>> 2) + DESK_STOP, 1);
    await Promise.all(threads);
    for (const worker of this.workers) worker.terminate();
    await this.context.close();
    atLast();
    this.heap.checkInvariants();
    const { allocators } = this.heap.stats();
    const out = Object.fromEntries(allocators.map(({ name, taken, listed }) => [name, taken - listed]));
    this.heap.detach();
    return out;
  }
}

/** Resolves when a thread says that it has detached. */
function stopped(port) {
  return new Promise((resolve) => {
    port.onmessage = resolve;
  });
}
