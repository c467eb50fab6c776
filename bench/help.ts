/** What --help prints. */
import { BOUNDED_SECONDS, DEFAULT_SECONDS, DEFAULT_THREADS, LATENCY_SECONDS, USUAL } from "./arguments.ts";
import { SCALE_THREADS } from "./parallel/scale.ts";

export const HELP = `usage: npm run bench -- [workload...] [options]

Times the allocators, each in processes of its own, in turn with a plain list of free objects in a shared
Int32Array (the reference). Without a workload: all of one thread.

  --all          every workload
  --variants     ours on copies of the library that leave something out, or do it otherwise: what each part costs.
                 With pair64 (the default), lifo100, ws10k, ws10k64, larson1, larson2, xthread, pair64x2, overwrite,
                 batch, diff-cpu; these last three on two threads
  --rounds N     measurements in each process (default ${USUAL.rounds})
  --processes N  processes for each subject (default ${USUAL.processes})
  --threads N    threads of overwrite, batch, diff-cpu, bounded, counter, and the others of latency (default ${DEFAULT_THREADS})
  --threads N,N  numbers of threads for scale (default ${SCALE_THREADS.join()}); with it, pair64 and ws10k64 are
                 measured as in scale
  --seconds N    how long those of several threads are measured in each process
                 (default ${DEFAULT_SECONDS}; bounded ${BOUNDED_SECONDS}; latency ${LATENCY_SECONDS})
  --node V       on that version of Node, fetched from npm: 24, or 24.1.0
  --quick        few measurements, where the options above do not say how many
  --json         print JSON
  --save         also put the results into bench/results: a file for each machine and Node
  --results DIR  another folder for them
  --report       print what was saved as Markdown tables, and draw its charts beside it
  --write        with --report: also rewrite what README.md and bench/README.md quote of it
  --list         list the workloads
  --help         print this
`;
