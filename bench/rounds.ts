/** A thread that does a round of its work each time that it is told. */

/** Runs `round` whenever the word has been counted up, until it is negative. */
export function onEachRound(control: Int32Array, go: number, round: () => void): void {
  // counted here: by the time that a round is done, the next one may have begun
  for (let number = 0; ; number++) {
    Atomics.wait(control, go, number);
    if (Atomics.load(control, go) < 0) return;
    round();
  }
}
