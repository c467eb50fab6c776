/** Overwrites words: some by chance, others as a program that went wrong would. */
import type { Random } from "./kinds.ts";
import type { Places } from "./places.ts";

/** Most words of one scribble. */
const MAX_WORDS = 64;

/** Scribbles into `words`. Returns how many of them it wrote to. */
export function scribble(words: Int32Array, places: Places, random: Random): number {
  const style = STYLES[random(STYLES.length)];
  return style(words, places, random);
}

type Style = (words: Int32Array, places: Places, random: Random) => number;

const STYLES: readonly Style[] = [one, one, many, many, sameInMany, rings, copyRun, fillRun, swap];

function one(words: Int32Array, places: Places, random: Random): number {
  const at = places.word(random);
  words[at] = valueFor(words, at, places, random);
  return 1;
}

/** Few more often than many. */
function many(words: Int32Array, places: Places, random: Random): number {
  const count = 2 + random(2 ** random(Math.log2(MAX_WORDS)));
  for (let i = 0; i < count; i++) one(words, places, random);
  return count;
}

/** Words that are compared with each other are wrong alike. */
function sameInMany(words: Int32Array, places: Places, random: Random): number {
  const count = 2 + random(4);
  const value = valueFor(words, places.word(random), places, random);
  for (let i = 0; i < count; i++) words[places.word(random)] = value;
  return count;
}

/** A list that runs in a circle: each of some words holds the next one's address, and a head leads there. */
function rings(words: Int32Array, places: Places, random: Random): number {
  const ring = Array.from({ length: 1 + random(4) }, () => places.address(random));
  ring.forEach((at, i) => {
    if (at >= 0 && at < words.length) words[at] = ring[(i + 1) % ring.length];
  });
  words[places.word(random)] = ring[0];
  return ring.length + 1;
}

function copyRun(words: Int32Array, places: Places, random: Random): number {
  const count = 1 + random(MAX_WORDS);
  const from = places.word(random);
  words.copyWithin(places.word(random), from, from + count);
  return count;
}

/** A run of one value, or of noise. */
function fillRun(words: Int32Array, places: Places, random: Random): number {
  const count = 1 + random(MAX_WORDS);
  const from = places.word(random);
  const to = Math.min(from + count, words.length);
  const isNoise = random(2) === 0;
  const value = valueFor(words, from, places, random);
  for (let at = from; at < to; at++) words[at] = isNoise ? valueFor(words, at, places, random) : value;
  return count;
}

function swap(words: Int32Array, places: Places, random: Random): number {
  const [a, b] = [places.word(random), places.word(random)];
  [words[a], words[b]] = [words[b], words[a]];
  return 2;
}

const EXTREMES = [0, 1, -1, 2, -2, 0x7fffffff, -0x80000000, 0x3fffffff, 0x40000000];

/** Something for the word at `at`, which may depend on what it holds. */
function valueFor(words: Int32Array, at: number, places: Places, random: Random): number {
  switch (random(9)) {
    case 0:
      return random(2 ** 32) | 0;
    case 1:
      return EXTREMES[random(EXTREMES.length)];
    case 2:
      return random(128) - 32;
    case 3:
      return places.address(random);
    case 4:
      return places.address(random) + random(17) - 8;
    case 5:
      return words[places.word(random)];
    case 6:
      return words[at] ^ (1 << random(32));
    case 7:
      return words[at] + random(9) - 4;
    default:
      return words.length + random(65) - 32;
  }
}
