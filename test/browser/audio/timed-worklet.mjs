// The example's audio thread, with a stopwatch around all that it asks of the library.

import { SynthProcessor } from "../../../docs/examples/audioworklet/worklet.mjs";
import { Shelf } from "./shelf.mjs";

class Stopwatch {
  constructor(clock) {
    this.clock = clock;
    this.spent = 0;
    this.calls = 0;
  }

  now() {
    return Atomics.load(this.clock, 0);
  }

  addSince(start) {
    this.spent += Atomics.load(this.clock, 0) - start;
    this.calls++;
  }
}

class Timed {
  constructor(pool, watch) {
    this.pool = pool;
    this.watch = watch;
  }

  alloc() {
    const start = this.watch.now();
    const p = this.pool.alloc();
    this.watch.addSince(start);
    return p;
  }

  free(p) {
    const start = this.watch.now();
    this.pool.free(p);
    this.watch.addSince(start);
  }
}

class TimedProcessor extends SynthProcessor {
  constructor(options) {
    super(options);
    const { clock, record, shelves, litter } = options.processorOptions;
    this.record = record;
    this.litter = litter;
    this.quantum = 0;
    this.watch = new Stopwatch(clock);
    this.measure(this.synth, shelves);
    this.began = 0;
    this.rendered = 0;
    this.render = () => {
      this.watch.addSince(this.began); // the way into the context
      this.synth.render(this.output);
      this.rendered = this.watch.now();
    };
  }

  measure(synth, shelves) {
    if (shelves !== 0) {
      synth.voices = new Shelf(this.heap, shelves);
      synth.notes = new Shelf(this.heap, shelves + 4);
    }
    synth.voices = new Timed(synth.voices, this.watch);
    synth.notes = new Timed(synth.notes, this.watch);
  }

  /** Makes garbage, for the detector of garbage to find. */
  drop() {
    for (let i = 0; i < this.litter; i++) this.dropped = [this.dropped?.length, i];
  }

  /** Writes down, for each quantum: microseconds of all our calls, of everything, and the number of calls. */
  process(inputs, outputs) {
    const { watch, record } = this;
    watch.spent = 0;
    watch.calls = 0;
    this.rendered = 0;
    this.began = watch.now();
    const goesOn = super.process(inputs, outputs);
    if (this.rendered === 0) return goesOn;
    watch.addSince(this.rendered); // the way out, with what was put off until then
    const at = this.quantum++ * 3;
    record[at] = watch.spent;
    record[at + 1] = watch.now() - this.began;
    Atomics.store(record, at + 2, watch.calls); // at last: the page waits for it
    this.drop();
    return goesOn;
  }
}

registerProcessor("timed", TimedProcessor);
