/** What must hold of grace periods while no call is under way. */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import type { Cpus, PercpuAreas } from "../cpu/index.ts";
import {
  LOCAL_HAND,
  LOCAL_NESTING,
  LOCAL_QUEUES,
  LOCAL_READER,
  LOCAL_TRACE,
  MAX_KINDS,
  QUEUE_BATCH,
  QUEUE_TAKER,
  QUEUE_WAIT,
  QUEUE_WORDS,
} from "./layout.ts";
import type { RcuPlace } from "./rcu.ts";

/** Reader words fit the nesting; free CPUs are in no section; no queue is in the middle of anything. */
export function checkRcu(place: RcuPlace, cpus: Cpus, areas: PercpuAreas, report: Report): void {
  const { words } = areas;
  for (const { cpu, state } of cpus.list()) {
    const local = areas.areaOf(cpu) + place.local;
    const isInside = (peek(words, local + LOCAL_READER) & 1) === 1;
    const nesting = peek(words, local + LOCAL_NESTING);
    if (isInside !== nesting > 0)
      report(`rcu: CPU ${cpu}: its reader word does not fit a nesting of ${nesting}`);
    const open = [0, 1].map((phase) => peek(words, local + LOCAL_TRACE + phase));
    if (open.some((count) => count < 0)) report(`rcu: CPU ${cpu}: ${open} tasks-trace sections are open`);
    if (state === "free" && (isInside || open.some((count) => count !== 0)))
      report(`rcu: CPU ${cpu}: free, but inside a read section`);
    // what a dead CPU was running stays in its hand
    if (state !== "dead" && peek(words, local + LOCAL_HAND) !== 0)
      report(`rcu: CPU ${cpu}: a callback is under way`);
    for (let kind = 0; kind < MAX_KINDS; kind++) {
      checkQueue(words, local + LOCAL_QUEUES + kind * QUEUE_WORDS, `CPU ${cpu}, kind ${kind}`, report);
    }
  }
}

function checkQueue(words: Int32Array, queue: number, where: string, report: Report): void {
  if (peek(words, queue + QUEUE_TAKER) !== 0) report(`rcu: ${where}: a call is under way`);
  const isBetween = (peek(words, queue + QUEUE_BATCH) & 1) === 0;
  if (isBetween && peek(words, queue + QUEUE_WAIT) !== 0) report(`rcu: ${where}: callbacks wait in no batch`);
}
