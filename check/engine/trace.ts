/** What happened in one execution, for its report. Taking stacks is slow, so searches run without. */
import type { ModelCpu } from "./cpu.ts";
import { OP_NAMES } from "./operations.ts";

/** One step as it happened, or a line about calls. */
export interface TraceEntry {
  readonly cpu: number;
  readonly level: number;
  readonly text: string;
  /** As of an Error; empty for what is no step. */
  readonly stack: string;
}

/** Frames of a stack: those of the machine and of replayed calls come on top of the library's. */
const STACK_FRAMES = 60;

export class Trace {
  readonly entries: TraceEntry[] = [];

  clear(): void {
    this.entries.length = 0;
  }

  note({ id, level }: ModelCpu, text: string): void {
    this.entries.push({ cpu: id, level, text, stack: "" });
  }

  /** The step that the CPU has just taken: its word was `before` and is `after`. Returns where that was. */
  step({ id, level, op, at }: ModelCpu, before: number, after: number): string {
    const change = after === before ? `${before}` : `${before} -> ${after}`;
    const stack = stackNow();
    this.entries.push({ cpu: id, level, text: `${OP_NAMES[op]} [${at}] ${change}`, stack });
    return stack;
  }
}

function stackNow(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  return stack ?? "";
}
