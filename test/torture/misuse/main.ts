/** `npm run fuzz -- --misuse`: see README.md. */
import { parseArgs } from "node:util";
import { command, integer } from "../arguments.ts";
import { CALLS_OF_A_HEAP } from "./job.ts";
import { NOTHING } from "./judge.ts";
import { type MisuseResult, misuseHeaps } from "./run.ts";

const HELP = `usage: npm run fuzz -- --misuse [options]

Wrong calls among right ones: frees of what is free, of what never was an object, into the wrong cache, of pointers into
payloads that look like headers, of all that is no pointer; calls with wrong arguments, and at the wrong time. Each must be
told, and change nothing, or be one of those that cannot be told, as a model says beforehand.

  --calls N     wrong calls; default 1000000
  --seed N      of the first heap, each of which sees ${CALLS_OF_A_HEAP} wrong calls; the next ones count up.
                Default: a random one
  --json        the result as JSON
  --help        this text
`;

const OPTIONS = {
  misuse: { type: "boolean", default: true },
  calls: { type: "string", default: "1000000" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 30)) },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function read(args: string[]) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const calls = integer("calls", values.calls, 1, 1e12);
  return { ...values, calls, seed: integer("seed", values.seed, 0, 2 ** 30) };
}

async function misuse({ calls, seed, json }: ReturnType<typeof read>): Promise<number> {
  if (!json) console.log(`fuzz: ${calls} wrong calls, from seed ${seed} on`);
  const onProgress = (made: number) =>
    process.stderr.isTTY && process.stderr.write(`\r${made} of ${calls} calls `);
  const result = await misuseHeaps({ calls, seed, onProgress });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  console.log(json ? JSON.stringify({ seed, ...result }) : text(result));
  return result.failures.length === 0 ? 0 : 1;
}

function text({ calls, rightCalls, seconds, answers, failures }: MisuseResult): string {
  const sorted = Object.entries(answers).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `${calls} wrong calls among ${rightCalls} right ones in ${seconds.toFixed(1)} s`,
    ...lines(totals(answers)),
    ...sorted.flatMap(([name, counts]) => [name, ...lines(counts)]),
    ...failures.flatMap(({ seed, what }) => [
      "",
      `seed ${seed}: ${what}`,
      `again: npm run fuzz -- --misuse --calls ${CALLS_OF_A_HEAP} --seed ${seed}`,
    ]),
  ].join("\n");
}

function lines(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).map(([answer, count]) => `${String(count).padStart(10)}  ${answer}`);
}

/** Told, ignored, or which class of those that cannot be told. */
function totals(answers: MisuseResult["answers"]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const counts of Object.values(answers))
    for (const [answer, count] of Object.entries(counts)) {
      // codes have no spaces
      let what = answer.includes(" ") ? `cannot be told: ${answer}` : "told";
      if (answer === NOTHING) what = answer;
      sums[what] = (sums[what] ?? 0) + count;
    }
  return sums;
}

process.exit(await command(HELP, read, misuse));
