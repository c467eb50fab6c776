/**
 * Where each object is, by id; and how one worker waits for an object that another one has yet to allocate.
 *
 * A word is NOT_YET, FAILED (the allocation returned 0), AWAITED (the worker that will free it sleeps on the
 * word), or the object's offset, a multiple of 8. It is written by the allocating worker, and set back by the
 * freeing one, so that the next round finds it NOT_YET. Offsets reach 2^32: they are read back with >>> 0.
 */
const NOT_YET = 0;
const FAILED = 1;
const AWAITED = 2;

/** Looks before a worker goes to sleep: most objects come soon, and sleeping costs some 50 microseconds. */
const SPINS = 200;

export class HandOver {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Notes an object that this worker itself will free. 0: the allocation failed. */
  keep(id: number, offset: number): void {
    this.#words[id] = offset === 0 ? FAILED : offset;
  }

  /** Takes back what `keep` noted: the offset, or 0. */
  take(id: number): number {
    const word = this.#words[id];
    this.#words[id] = NOT_YET;
    return word === FAILED ? 0 : word >>> 0;
  }

  /** Lets another worker have an object. Pairs with `receive`: what was written into it before is seen there. */
  publish(id: number, offset: number): void {
    const before = Atomics.exchange(this.#words, id, offset === 0 ? FAILED : offset);
    if (before === AWAITED) Atomics.notify(this.#words, id);
  }

  /** Waits for what `publish` gives: the offset, or 0. */
  receive(id: number): number {
    const words = this.#words;
    let word = Atomics.load(words, id);
    for (let spin = 0; word === NOT_YET && spin < SPINS; spin++) word = Atomics.load(words, id);
    if (word === NOT_YET) word = this.#sleep(id);
    Atomics.store(words, id, NOT_YET);
    return word === FAILED ? 0 : word >>> 0;
  }

  #sleep(id: number): number {
    Atomics.compareExchange(this.#words, id, NOT_YET, AWAITED);
    let word = Atomics.load(this.#words, id);
    while (word === AWAITED) {
      Atomics.wait(this.#words, id, AWAITED);
      word = Atomics.load(this.#words, id);
    }
    return word;
  }
}
