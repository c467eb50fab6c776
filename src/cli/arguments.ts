/** The command line, checked and turned into what is to be done. */
import { parseArgs } from "node:util";
import { messageOf, usageError } from "./exit.ts";
import { GIB_4, parseBytes } from "./units.ts";

/** Which allocator of the heap serves the trace. */
export type AllocatorName = "memalloc" | "kmalloc";

/** Limits on what may be asked for. */
export const MAX_WORKERS = 64;
const MAX_ROUNDS = 1_000_000;

export interface ReplayOptions {
  trace: string;
  /** Absent: as many as the trace has threads, at most 8. */
  threads: number | undefined;
  alloc: AllocatorName;
  repeat: number;
  json: boolean;
  /** Absent: sized after the trace. */
  heapBytes: number | undefined;
}

export type Command =
  | { kind: "help"; topic: "sharedheap" | "replay" }
  | { kind: "version" }
  | { kind: "replay"; options: ReplayOptions };

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
  threads: { type: "string" },
  alloc: { type: "string" },
  repeat: { type: "string" },
  json: { type: "boolean" },
  "heap-bytes": { type: "string" },
} as const;

/** What `argv` (without node and the program) asks for; throws a usage error that says what is wrong. */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = split(argv);
  const [command, ...operands] = positionals;
  if (command !== undefined && command !== "replay") throw usageError(`unknown command "${command}"`);
  if (values.help) return { kind: "help", topic: command ?? "sharedheap" };
  if (values.version) return { kind: "version" };
  if (command === undefined) throw usageError("no command given");
  return { kind: "replay", options: replayOptions(values, operands) };
}

type Values = ReturnType<typeof split>["values"];

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (thrown) {
    // Node's message goes on with advice about "--" that is of no use here.
    const message = messageOf(thrown).split(/\. |\n/)[0] ?? "";
    throw usageError(message.charAt(0).toLowerCase() + message.slice(1));
  }
}

function replayOptions(values: Values, operands: readonly string[]): ReplayOptions {
  const [trace, another] = operands;
  if (trace === undefined || trace === "") throw usageError("replay needs a trace file", "replay");
  if (another !== undefined) throw usageError(`replay takes one trace, not "${another}" too`, "replay");
  return {
    trace,
    threads: values.threads === undefined ? undefined : integer("--threads", values.threads, MAX_WORKERS),
    alloc: allocatorName(values.alloc ?? "memalloc"),
    repeat: integer("--repeat", values.repeat ?? "1", MAX_ROUNDS),
    json: values.json ?? false,
    heapBytes: values["heap-bytes"] === undefined ? undefined : heapBytes(values["heap-bytes"]),
  };
}

function integer(option: string, text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) {
    throw usageError(`${option} takes a whole number from 1 to ${max}, not "${text}"`, "replay");
  }
  return value;
}

function allocatorName(text: string): AllocatorName {
  if (text === "memalloc" || text === "kmalloc") return text;
  throw usageError(`--alloc takes memalloc or kmalloc, not "${text}"`, "replay");
}

function heapBytes(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined || bytes < 1 || bytes > GIB_4) {
    throw usageError(`--heap-bytes takes a size like 64M or 2GiB, at most 4GiB, not "${text}"`, "replay");
  }
  return bytes;
}
