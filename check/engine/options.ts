/** Which decisions are possible at a scheduling point. */
import { MAX_DEPTH, type ModelCpu, RUNNABLE } from "./cpu.ts";
import { decision, KILL, NEST, RUN } from "./decisions.ts";
import type { Machine } from "./machine.ts";

/** Fills `options`, and returns how many there are. The first continues the current CPU, if it can. */
export function listOptions(machine: Machine, options: Int32Array): number {
  const { limits, cpus } = machine;
  const current = cpus[machine.current];
  // at a step that only its own CPU can see, another CPU's turn would come just as well later
  const maySwitch =
    machine.isFree || (machine.isShared(current.op, current.at) && machine.preemptions < limits.preemptions);
  let count = 0;
  if (current.state === RUNNABLE) options[count++] = decision(RUN, current.id);
  for (const cpu of cpus) {
    if (cpu.state !== RUNNABLE || (cpu !== current && !maySwitch)) continue;
    if (cpu !== current) options[count++] = decision(RUN, cpu.id);
    for (let k = 0; k < nestable(machine, cpu); k++) options[count++] = decision(NEST, cpu.id, k);
    if (machine.deaths < limits.deaths) options[count++] = decision(KILL, cpu.id);
  }
  return count;
}

/** How many calls can be nested in the CPU's now. */
function nestable({ limits, nestedCalls, prepared }: Machine, cpu: ModelCpu): number {
  const allowed = nestedCalls < limits.nested && cpu.level < Math.min(limits.depth, MAX_DEPTH);
  return allowed ? prepared.nested.length : 0;
}
