/** One process. Arguments: threads beside the one that measures, milliseconds. Answers with a `Measured`. */
import { argv } from "node:process";
import { SharedHeap } from "sharedheap";
import { runCrew } from "#src/cli/crew.js";
import { newControl } from "../threads/control.ts";
import { mean } from "../threads/run.ts";
import type { Answer, Job, Measured } from "./job.ts";

const HEAP_BYTES = 1024 * 2 ** 20;

const [others = 1, ms = 1] = argv.slice(2).map(Number);
const all = others + 1;
const heap = SharedHeap.create({ bytes: HEAP_BYTES, maxCpus: all + 1 });
const common = { token: heap.token, all, control: newControl(all), ms };
const jobs = Array.from({ length: all }, (_, thread): Job => ({ ...common, thread }));
const answers = await runCrew<Job, Answer>(new URL("./worker.js", import.meta.url), jobs);
heap.checkInvariants();

const seen = answers.flatMap((answer) => ("seen" in answer ? [answer.seen] : []))[0];
const rate = mean(answers.flatMap((answer) => ("rate" in answer ? [answer.rate] : [])));
process.send?.({ seen, rate } satisfies Measured);
