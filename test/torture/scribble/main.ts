/** `npm run fuzz -- --scribble`: see README.md. */
import { parseArgs } from "node:util";
import { command, integer } from "../arguments.ts";
import { type ScribbleResult, scribbleHeaps } from "./run.ts";

const HELP = `usage: npm run fuzz -- --scribble [options]

Makes small heaps with something of everything in them, overwrites some words, and has verify() and stats() look, and
another thread attach. Fails if anything is thrown that is no SharedHeapError of attach, a word outside of the heap is
asked for, one is written, or there is no end.

  --heaps N     default 100000
  --threads N   default 2
  --seed N      of the first heap; the next ones count up. Default: a random one
  --json        the result as JSON
  --help        this text
`;

const OPTIONS = {
  scribble: { type: "boolean", default: true },
  heaps: { type: "string", default: "100000" },
  threads: { type: "string", default: "2" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 30)) },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function read(args: string[]) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const heaps = integer("heaps", values.heaps, 1, 1e9);
  const threads = integer("threads", values.threads, 1, 32);
  return { ...values, heaps, threads, seed: integer("seed", values.seed, 0, 2 ** 30) };
}

async function scribble({ heaps, threads, seed, json }: ReturnType<typeof read>): Promise<number> {
  if (!json)
    console.log(`fuzz: ${heaps} heaps to scribble into, on ${threads} threads, from seed ${seed} on`);
  const onProgress = (done: number) =>
    process.stderr.isTTY && process.stderr.write(`\r${done} of ${heaps} heaps `);
  const result = await scribbleHeaps({ heaps, threads, seed, onProgress });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  console.log(json ? JSON.stringify({ seed, threads, ...result }) : text(result));
  return result.failures.length === 0 ? 0 : 1;
}

function text({ heaps, seconds, reported, words, mostReads, attaches, failures }: ScribbleResult): string {
  return [
    `${heaps} heaps in ${seconds.toFixed(1)} s, ${words} words overwritten; verify had something to report of ${reported}`,
    `the longest look read ${mostReads.toFixed(2)} words for each word of the heap`,
    `attaching ended with ${Object.entries(attaches)
      .map(([code, count]) => `${code} ${count}`)
      .join(", ")}`,
    ...failures.flatMap(({ seed, what }) => [
      "",
      `seed ${seed}: ${what}`,
      `again: npm run fuzz -- --scribble --heaps 1 --seed ${seed}`,
    ]),
  ].join("\n");
}

process.exit(await command(HELP, read, scribble));
