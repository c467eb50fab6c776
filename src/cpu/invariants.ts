/** What must hold of a CPU while no call on it is under way. */
import { peek } from "#primitive";
import type { Report } from "../arena/index.ts";
import { PERCPU_USED } from "../arena/layout.ts";
import { llistEmpty } from "../sync/index.ts";
import type { Cpus } from "./cpus.ts";
import { AREA_CONTEXT, AREA_IRQ_WORK, AREA_TURN_WORK } from "./layout.ts";
import type { PercpuAreas } from "./percpu-areas.ts";

/** A free CPU is in no context and has no work pending; all that were ever taken are counted; areas have what was handed out. */
export function checkCpus(cpus: Cpus, areas: PercpuAreas, report: Report): void {
  const { used } = cpus;
  const taken = cpus.list().findLastIndex(({ generation }) => generation !== 0) + 1;
  if (used < taken || used > cpus.maxCpus)
    report(`cpu: ${used} of ${cpus.maxCpus} CPUs are said to have been used, ${taken} have been`);
  const words = peek(areas.words, PERCPU_USED);
  if (words < 0 || words > areas.areaWords)
    report(`cpu: ${words} words of each area are said to be in use, it has ${areas.areaWords}`);
  for (const info of cpus.list()) {
    if (info.state !== "free") continue;
    const area = areas.areaOf(info.cpu);
    if (peek(cpus.words, area + AREA_CONTEXT) !== 0) report(`cpu ${info.cpu}: free, but inside a context`);
    if (!llistEmpty(cpus.words, area + AREA_IRQ_WORK) || !llistEmpty(cpus.words, area + AREA_TURN_WORK))
      report(`cpu ${info.cpu}: free, but has work pending`);
  }
}
