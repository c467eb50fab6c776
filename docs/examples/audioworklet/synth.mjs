// The synthesizer: what the audio thread does in each quantum. Notes start voices, voices sound until they have died
// away. Both are kept in lists through the heap; nothing here is a JavaScript object, so nothing is garbage.

import {
  DESK_NULLS,
  DESK_PACE,
  DESK_SOUNDING,
  DESK_STARTED,
  NOTE_AGE,
  NOTE_FREQUENCY,
  NOTE_NEXT,
  QUANTUM,
  VOICE_A1,
  VOICE_A2,
  VOICE_LEFT,
  VOICE_NEXT,
  VOICE_Y1,
  VOICE_Y2,
} from "./layout.mjs";
import { isReleased, letGo, takeNotes } from "./notes.mjs";

/** A note that is held fades after that many quanta, about a second. */
const NOTE_QUANTA = 360;
/** A voice is at a thousandth of its loudness when it ends. */
export const VOICE_QUANTA = 32;
const LOUDNESS = 0.02;
/** The voices of a note: its frequency, times these. */
const HARMONICS = [1, 1.5, 2, 3];

export class Synth {
  /** `voices`, `notes`: where voices come from and go, and where notes go. */
  constructor(heap, voices, notes, desk, sampleRate) {
    this.heap = heap;
    this.voices = voices;
    this.notes = notes;
    this.desk = desk;
    this.angle = (2 * Math.PI) / sampleRate; // of one Hertz
    this.damping = 0.001 ** (1 / (VOICE_QUANTA * QUANTUM)); // in a sample
    this.firstNote = 0;
    this.firstVoice = 0;
  }

  /** Adds a quantum of sound to `output`. */
  render(output) {
    this.welcome();
    this.pluck();
    this.sound(output);
  }

  /** Frees everything: the music is over. */
  silence() {
    this.welcome();
    const { i32 } = this.heap;
    for (let p = this.firstNote, next = 0; p !== 0; p = next) {
      next = i32[(p >>> 2) + NOTE_NEXT];
      letGo(this.heap, this.notes, p);
    }
    for (let p = this.firstVoice, next = 0; p !== 0; p = next) {
      next = i32[(p >>> 2) + VOICE_NEXT];
      this.voices.free(p);
    }
    this.firstNote = 0;
    this.firstVoice = 0;
  }

  /** New notes join those that are playing. */
  welcome() {
    const { i32 } = this.heap;
    for (let p = takeNotes(this.heap, this.desk), next = 0; p !== 0; p = next) {
      next = i32[(p >>> 2) + NOTE_NEXT];
      i32[(p >>> 2) + NOTE_NEXT] = this.firstNote;
      this.firstNote = p;
    }
  }

  /** Each note starts a voice if it is time for one; those that are over leave. */
  pluck() {
    const { i32, f32 } = this.heap;
    const pace = Atomics.load(i32, (this.desk >>> 2) + DESK_PACE);
    let kept = 0;
    for (let p = this.firstNote, next = 0; p !== 0; p = next) {
      const at = p >>> 2;
      next = i32[at + NOTE_NEXT];
      const age = i32[at + NOTE_AGE]++;
      if (age === NOTE_QUANTA || isReleased(this.heap, p)) {
        letGo(this.heap, this.notes, p);
        continue;
      }
      i32[at + NOTE_NEXT] = kept;
      kept = p;
      if (age % pace === 0) this.startVoice(f32[at + NOTE_FREQUENCY] * HARMONICS[((age / pace) | 0) & 3]);
    }
    this.firstNote = kept;
  }

  startVoice(frequency) {
    const { i32, f64 } = this.heap;
    const p = this.voices.alloc();
    if (p === 0) {
      this.count(DESK_NULLS, 1); // a note is thinner than it should be; nothing else happens
      return;
    }
    const angle = frequency * this.angle;
    const at = p >>> 3;
    f64[at + VOICE_Y1] = 0;
    f64[at + VOICE_Y2] = -LOUDNESS * Math.sin(angle);
    f64[at + VOICE_A1] = 2 * this.damping * Math.cos(angle);
    f64[at + VOICE_A2] = -this.damping * this.damping;
    i32[(p >>> 2) + VOICE_LEFT] = VOICE_QUANTA;
    i32[(p >>> 2) + VOICE_NEXT] = this.firstVoice;
    this.firstVoice = p;
    this.count(DESK_STARTED, 1);
    this.count(DESK_SOUNDING, 1);
  }

  /** All voices, and the end of those that have died away. */
  sound(output) {
    const { i32 } = this.heap;
    let kept = 0;
    for (let p = this.firstVoice, next = 0; p !== 0; p = next) {
      const at = p >>> 2;
      next = i32[at + VOICE_NEXT];
      this.resonate(p >>> 3, output);
      if (--i32[at + VOICE_LEFT] === 0) {
        this.voices.free(p);
        this.count(DESK_SOUNDING, -1);
      } else {
        i32[at + VOICE_NEXT] = kept;
        kept = p;
      }
    }
    this.firstVoice = kept;
  }

  resonate(at, output) {
    const { f64 } = this.heap;
    const a1 = f64[at + VOICE_A1];
    const a2 = f64[at + VOICE_A2];
    let y1 = f64[at + VOICE_Y1];
    let y2 = f64[at + VOICE_Y2];
    for (let i = 0; i < output.length; i++) {
      const y = a1 * y1 + a2 * y2;
      output[i] += y;
      y2 = y1;
      y1 = y;
    }
    f64[at + VOICE_Y1] = y1;
    f64[at + VOICE_Y2] = y2;
  }

  /** Only this thread writes the counters; others look at them. */
  count(counter, by) {
    const at = (this.desk >>> 2) + counter;
    Atomics.store(this.heap.i32, at, this.heap.i32[at] + by);
  }
}
