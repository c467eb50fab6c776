/** What a schedule consists of, and how much of it is allowed. */

/** A decision: kind | cpu << 2 | argument << 8. */
export const RUN = 0;
export const NEST = 1;
export const KILL = 2;
export const KIND_MASK = 3;
export type Decision = number;

export function decision(kind: number, cpu: number, argument = 0): Decision {
  return kind | (cpu << 2) | (argument << 8);
}
export function cpuOf(d: Decision): number {
  return (d >> 2) & 63;
}
export function argumentOf(d: Decision): number {
  return d >> 8;
}

export interface Limits {
  /** Nested calls in an execution, and how deep. */
  readonly nested: number;
  readonly depth: number;
  /** Deaths in an execution. */
  readonly deaths: number;
  /** Preemptions: switches away from a CPU that could go on. */
  readonly preemptions: number;
  /** Own steps of a call, whatever the others do. A nested call's are its own, and not those of the call it interrupts. */
  readonly callSteps: number;
  /** Steps of an execution. */
  readonly steps: number;
}

export const DEFAULT_LIMITS: Limits = {
  nested: 0,
  depth: 1,
  deaths: 0,
  preemptions: Infinity,
  callSteps: 4096,
  steps: 20000,
};
