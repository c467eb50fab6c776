// The audio thread: attaches to the heap, and renders until the desk says stop.

import { DESK_STOP, VOICE_BYTES } from "./layout.mjs";
import { openNotes } from "./notes.mjs";
import { attachRealTime, inRealTime, stockUp, warmUp } from "./real-time.mjs";
import { Synth, VOICE_QUANTA } from "./synth.mjs";

/** More voices than ever sound at once, also while those of keys that went up die away. */
const STOCK = 32 * VOICE_QUANTA;

export class SynthProcessor extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.heap = attachRealTime(processorOptions.token, "audio");
    this.desk = this.heap.roots.get("desk");
    const { voices, notes } = this.open();
    this.synth = new Synth(this.heap, voices, notes, this.desk, sampleRate);
    this.output = undefined;
    this.render = () => this.synth.render(this.output); // made once: a closure per quantum would be garbage
  }

  /** Where voices come from, and where notes go. */
  open() {
    const voices = this.heap.memCache({ name: "voice", size: VOICE_BYTES });
    const notes = openNotes(this.heap);
    warmUp(this.heap, voices);
    warmUp(this.heap, notes);
    stockUp(voices, STOCK);
    return { voices, notes };
  }

  process(_inputs, outputs) {
    if (Atomics.load(this.heap.i32, (this.desk >>> 2) + DESK_STOP) !== 0) return this.stop();
    this.output = outputs[0][0];
    inRealTime(this.heap, this.render);
    return true;
  }

  stop() {
    this.synth.silence();
    this.heap.detach();
    this.port.postMessage("stopped");
    return false;
  }
}

registerProcessor("synth", SynthProcessor);
