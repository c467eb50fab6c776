/** `npm run fuzz`: see README.md. */
import { parseArgs } from "node:util";
import { command, integer } from "../arguments.ts";
import { type FuzzResult, fuzz } from "./run.ts";
import { slabStress } from "./slab-stress.ts";

const HELP = `usage: npm run fuzz [-- options]

Random calls on real threads, with handlers on every tracepoint that make random calls themselves, to depth 4.
Fails if an object has two owners, one is lost, NULL comes in task context, or an invariant is broken.

  --operations N   how many, at all depths together; default 100000000
  --slab           instead: 1,000 rounds of 1,000 kmalloc and kfree, while handlers inside the slab allocator call
                   kmallocNolock and kfreeNolock
  --threads N      default 2
  --seed N         default: a random one
  --json           the result as JSON
  --help           this text
`;

const OPTIONS = {
  operations: { type: "string", default: "100000000" },
  threads: { type: "string", default: "2" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  slab: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function read(args: string[]) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const operations = integer("operations", values.operations, 1, 1e12);
  const threads = integer("threads", values.threads, 1, 32);
  return { ...values, operations, threads, seed: integer("seed", values.seed, 0, 2 ** 31) };
}

function stress(json: boolean): number {
  const result = slabStress({ rounds: 1000, objects: 1000 });
  const { calls, failed, errors } = result;
  const share = ((100 * failed) / calls).toFixed(3);
  if (json) console.log(JSON.stringify(result));
  else
    console.log(
      `${calls} calls of kmallocNolock from inside, ${failed} got NULL (${share} %), ${errors.length} errors`,
    );
  for (const error of errors) console.error(error);
  return errors.length === 0 && failed < calls / 100 ? 0 : 1;
}

async function reenter({ operations, threads, seed, json }: ReturnType<typeof read>): Promise<number> {
  if (!json) console.log(`fuzz: ${operations} operations on ${threads} threads, seed ${seed}`);
  const onProgress = (made: number) =>
    process.stderr.isTTY && process.stderr.write(`\r${Math.floor((100 * made) / operations)} %`);
  const result = await fuzz({ operations, threads, seed, onProgress });
  console.log(json ? JSON.stringify({ seed, threads, ...result }) : text(result));
  return result.lost === 0 && result.problems.length === 0 ? 0 : 1;
}

function text({ operations, seconds, byDepth, calls, nulls, lost, problems }: FuzzResult): string {
  return [
    `${operations} operations in ${seconds.toFixed(1)} s, ${nulls} allocations got NULL, all in handlers or a full group`,
    ...byDepth.map((count, depth) => `  depth ${depth}  ${count}`),
    "handlers were called",
    ...Object.entries(calls).map(([name, count]) => `  ${name.padEnd(16)}${count}`),
    `${lost} objects lost, ${problems.length} invariants broken`,
    ...problems,
  ].join("\n");
}

process.exit(
  await command(HELP, read, (options) => (options.slab ? stress(options.json) : reenter(options))),
);
