/** The names of all tracepoints. */
import type { TracepointName } from "sharedheap";

export const POINTS: readonly TracepointName[] = [
  "memalloc:alloc",
  "memalloc:free",
  "memalloc:refill",
  "memalloc:trim",
  "slab:alloc",
  "slab:free",
  "slab:new",
  "slab:discard",
  "rcu:gp_start",
  "rcu:gp_end",
  "rcu:callbacks",
  "memcg:charge",
  "memcg:fail",
  "cpu:reap",
];
