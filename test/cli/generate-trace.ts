/** Random allocation traces, the same for the same seed. */

export interface TraceShape {
  seed: number;
  threads: number;
  /** Operations; the trace may leave objects allocated. */
  operations: number;
  /** The most objects allocated at one time. */
  slots: number;
  maxSize: number;
  /** The part of the frees that another thread than the allocating one does. */
  freedElsewhere: number;
}

export interface Operation {
  kind: "a" | "f";
  slot: number;
  size: number;
  thread: number;
}

export interface GeneratedTrace {
  operations: Operation[];
  text: string;
}

/** Numbers from 0 to 1, by the mulberry32 generator. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A valid trace, as operations and as the text of a trace file with a full header. */
export function generateTrace(shape: TraceShape): GeneratedTrace {
  const random = randomNumbers(shape.seed);
  const below = (end: number) => Math.floor(random() * end);
  const free = Array.from({ length: shape.slots }, (_, slot) => slot);
  const live: Operation[] = [];
  const operations: Operation[] = [];
  while (operations.length < shape.operations) {
    if (free.length > 0 && (live.length === 0 || random() < 0.55)) {
      const slot = free.splice(below(free.length), 1)[0] as number;
      // Mostly small, as in real programs.
      const size = Math.floor(shape.maxSize * random() ** 4);
      const operation: Operation = { kind: "a", slot, size, thread: below(shape.threads) };
      operations.push(operation);
      live.push(operation);
    } else {
      const { slot, size, thread: home } = live.splice(below(live.length), 1)[0] as Operation;
      const thread = random() < shape.freedElsewhere ? below(shape.threads) : home;
      operations.push({ kind: "f", slot, size, thread });
      free.push(slot);
    }
  }
  return { operations, text: traceText(operations, shape) };
}

/** One operation as a line of a trace file. */
export function operationLine({ kind, slot, size, thread }: Operation): string {
  return kind === "a" ? `a ${slot} ${size} ${thread}` : `f ${slot} ${thread}`;
}

function traceText(operations: readonly Operation[], shape: TraceShape): string {
  const allocs = operations.filter(({ kind }) => kind === "a").length;
  const lines = [
    "# sharedheap allocation trace v1",
    `# generated from seed ${shape.seed}`,
    `# threads ${shape.threads} slots ${shape.slots} ops ${operations.length} allocs ${allocs}`,
    ...operations.map(operationLine),
  ];
  return `${lines.join("\n")}\n`;
}
