// A clock for threads that have none: microseconds, kept up to date in a word of shared memory. Several threads keep
// it, since it is as good as the moments in which one of them runs; none sets it back.

self.onmessage = ({ data: { words, start } }) => {
  while (Atomics.load(words, 1) === 0) {
    const before = Atomics.load(words, 0);
    const now = Math.floor((performance.timeOrigin + performance.now() - start) * 1000);
    if (now > before) Atomics.compareExchange(words, 0, before, now);
  }
};
