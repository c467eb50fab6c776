// Plays the example by itself, under load, and returns what was measured. The test calls `perform`.

import { GFP_ZERO } from "../../../dist/index.js";
import { QUANTUM, VOICE_BYTES } from "../../../docs/examples/audioworklet/layout.mjs";
import { isReleased } from "../../../docs/examples/audioworklet/notes.mjs";
import { Studio } from "../../../docs/examples/audioworklet/studio.mjs";
import { Shelf } from "./shelf.mjs";

const LOADS = 2;
const CLOCKS = 2;
const PRESS_MS = 50;
const HELD = 16;
/** A voice every quantum: all that the synthesizer can ask for. */
const PACE = 1;
/** Voices on the control run's shelf: more than ever sound. */
const SHELF = 4000;
const MAX_QUANTA = 100_000;

/**
 * Plays so many seconds of audio. With `allocate: false`, a shelf takes the allocator's place: as many objects, as
 * many looks at the clock. `litter`: JavaScript objects that the audio thread drops in each quantum.
 */
globalThis.perform = async ({ seconds, allocate, litter = 0 }) => {
  const studio = new Studio({ pace: PACE });
  const clock = startClock();
  const record = new Int32Array(new SharedArrayBuffer(MAX_QUANTA * 12));
  const shelves = allocate ? 0 : fillShelves(studio);
  for (let i = 0; i < LOADS; i++) studio.addLoad();
  const worklet = new URL("./timed-worklet.mjs", import.meta.url);
  const options = { clock: clock.words, record, shelves, litter };
  await studio.open({ worklet, processor: "timed", options });
  const player = play(studio);
  await played(studio, record, seconds);
  clearInterval(player.timer);
  const { figures } = studio;
  const out = await studio.close(() => shelves !== 0 && clearShelves(studio, shelves));
  clock.stop();
  const quantumUs = (QUANTUM / studio.context.sampleRate) * 1e6;
  return { ...figures, freedHere: player.freedHere, out, quantumUs, quanta: quantaOf(record) };
};

/** By what the audio thread has written down: a slow machine takes longer, and plays as much. */
async function played({ context }, record, seconds) {
  const quanta = Math.ceil((seconds * context.sampleRate) / QUANTUM);
  while (Atomics.load(record, quanta * 3 - 1) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** On two cores the audio thread takes the place of one of these threads when it runs; the other one goes on. */
function startClock() {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const start = performance.timeOrigin + performance.now();
  for (let i = 0; i < CLOCKS; i++) {
    const worker = new Worker(new URL("./clock-worker.mjs", import.meta.url), { type: "module" });
    worker.postMessage({ words, start });
  }
  return { words, stop: () => Atomics.store(words, 1, 1) };
}

/** Presses a key now and then, and lets one go; some have faded by then, so that their notes are freed here. */
function play(studio) {
  const keys = [];
  const player = { freedHere: 0 };
  player.timer = setInterval(() => {
    keys.push(studio.press(110 * 2 ** Math.floor(Math.random() * 3)));
    if (keys.length < HELD) return;
    const [p] = keys.splice(Math.floor(Math.random() * HELD), 1);
    if (isReleased(studio.heap, p)) player.freedHere++;
    studio.release(p);
  }, PRESS_MS);
  return player;
}

/** Two words: the list of voices, and that of notes that came back. */
function fillShelves({ heap }) {
  const shelves = heap.kmalloc(8, GFP_ZERO);
  const voices = heap.memCache({ name: "voice", size: VOICE_BYTES });
  const shelf = new Shelf(heap, shelves);
  for (let i = 0; i < SHELF; i++) shelf.free(voices.alloc());
  return shelves;
}

function clearShelves({ heap, notes }, shelves) {
  const voices = heap.memCache({ name: "voice", size: VOICE_BYTES });
  const pools = [voices, notes];
  pools.forEach((pool, i) => {
    const shelf = new Shelf(heap, shelves + i * 4);
    for (let p = shelf.alloc(); p !== 0; p = shelf.alloc()) pool.free(p);
  });
}

/** What the worklet wrote down. */
function quantaOf(record) {
  const quanta = [];
  for (let at = 0; record[at + 2] !== 0; at += 3) {
    quanta.push({ ours: record[at], whole: record[at + 1], calls: record[at + 2] });
  }
  return quanta;
}
