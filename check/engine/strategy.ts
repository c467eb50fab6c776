/** What the machine asks, and what it can tell. */
import type { Decision } from "./decisions.ts";
import type { Machine } from "./machine.ts";

/** Picks one of machine.options, or -1: this execution need not go on. */
export interface Strategy {
  begin(machine: Machine): void;
  pick(machine: Machine): Decision;
}
