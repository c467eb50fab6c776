/** What the design asks for. The nanoseconds are those of the machine that it was drawn up on: it had another clock than yours. */
import { OURS } from "../entries.ts";

/** Nanoseconds per operation, by workload. */
export type Goals = Readonly<Record<string, number>>;

/** For MemAlloc, the row that all others are compared with. */
export const GOALS: Goals = {
  pair64: 5.5,
  lifo100: 7.5,
  ws10k: 18,
  ws10k64: 10,
  larson1: 12,
  larson2: 12,
  xthread: 25,
  pair64x2: 3,
};

/** The plain list, on that machine. */
export const REFERENCE_NS = 2.85;

/** For kmalloc: twice what a wasm mimalloc that is called from JavaScript took there. */
const KMALLOC_GOALS: Goals = {
  pair64: 18.4,
  lifo100: 21,
  ws10k: 84.4,
  ws10k64: 73,
  larson1: 65.6,
  larson2: 60.6,
  xthread: 70,
  pair64x2: 10,
};

/** By entry. */
export const GOALS_OF: Readonly<Record<string, Goals>> = {
  [OURS]: GOALS,
  MemCache: { pair64: 3 },
  kmalloc: KMALLOC_GOALS,
};

/** MemAlloc shall be so many times as fast as everything that npm or the engine has. */
export const TIMES_OTHERS = 1.5;
