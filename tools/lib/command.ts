// Running other programs to the end, for checks: their output matters only if they fail.

import { spawnSync } from "node:child_process";

export interface Outcome {
  good: boolean;
  output: string;
}

export interface Options {
  cwd?: string;
  timeoutMs?: number;
}

/** Runs a script with this same Node. */
export function runNode(args: string[], options: Options = {}): Outcome {
  return runProgram(process.execPath, args, options);
}

/** Runs npm: the one that runs us if there is one, since its name differs between systems. */
export function runNpm(args: string[], options: Options = {}): Outcome {
  const script = process.env.npm_execpath;
  return script?.endsWith(".js") ? runNode([script, ...args], options) : runProgram("npm", args, options);
}

function runProgram(program: string, args: string[], { cwd, timeoutMs }: Options): Outcome {
  const result = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" }),
  });
  const trouble = result.error ? `${result.error.message}\n` : "";
  return { good: result.status === 0, output: `${trouble}${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/** The last lines of an output, indented: where a failure usually says why. */
export function tail(output: string, lines = 15): string {
  const all = output.trimEnd().split("\n");
  return all
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join("\n");
}
