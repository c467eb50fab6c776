/**
 * What must hold of groups while no call is under way anywhere.
 *
 *     CURRENT == held by the group's allocators + lost + in stocks + CURRENT of its children, to the byte
 *     REFS == allocators + children; PEAK >= CURRENT
 *     a stock is of a group that is there, at most two batches, and not locked; a free CPU has none
 */
import { peek } from "#primitive";
import { checkLiveNames, type Report } from "../arena/index.ts";
import type { Cpus, PercpuAreas } from "../cpu/index.ts";
import {
  MEMCG_CURRENT,
  MEMCG_LOST,
  MEMCG_PARENT,
  MEMCG_PEAK,
  MEMCG_REFS,
  STOCK_GROUP,
  STOCK_LOCK,
  STOCK_UNITS,
} from "./layout.ts";
import type { Memcgs } from "./memcg.ts";

/** What the layers above say about a group, by its record. */
export interface Holdings {
  /** Units held from slab by its allocators. */
  readonly units: number;
  readonly allocators: number;
}

/** Sums for each group: what its counters must be, but for its children. */
export interface Sums {
  units: number;
  refs: number;
}

/** `stock`: offset of each CPU's stock in its area. */
export function checkMemcg(
  memcgs: Memcgs,
  cpus: Cpus,
  areas: PercpuAreas,
  stock: number,
  holdings: ReadonlyMap<number, Holdings>,
  report: Report,
): void {
  checkLiveNames(memcgs, "memcg", "groups", report);
  const load = (record: number, field: number) => peek(areas.words, record + field);
  const sums = sumsOf(memcgs, cpus, areas, stock, holdings, report);
  for (const group of sums.keys()) {
    const parent = sums.get(load(group, MEMCG_PARENT));
    if (parent !== undefined) {
      parent.units += load(group, MEMCG_CURRENT);
      parent.refs++;
    } else if (load(group, MEMCG_PARENT) !== 0)
      report(`memcg: "${memcgs.nameOf(group)}" has a parent that is no group`);
  }
  for (const [group, { units, refs }] of sums) {
    const name = JSON.stringify(memcgs.nameOf(group));
    const current = load(group, MEMCG_CURRENT);
    if (current !== units)
      report(
        `memcg: ${name}: charges differ from holdings: ${current} units charged, ${units} held and in stock`,
      );
    if (load(group, MEMCG_PEAK) < current) report(`memcg: ${name}: its peak is less than it has now`);
    if (load(group, MEMCG_REFS) !== refs)
      report(`memcg: ${name}: ${load(group, MEMCG_REFS)} holds, ${refs} allocators and children`);
  }
}

/** What each group is charged with itself: by its allocators, for what was lost, and in stocks. */
export function sumsOf(
  memcgs: Memcgs,
  cpus: Cpus,
  areas: PercpuAreas,
  stock: number,
  holdings: ReadonlyMap<number, Holdings>,
  report: Report,
): Map<number, Sums> {
  const sums = new Map<number, Sums>();
  for (const { record } of memcgs.list()) {
    const { units, allocators } = holdings.get(record) ?? { units: 0, allocators: 0 };
    sums.set(record, { units: units + peek(areas.words, record + MEMCG_LOST), refs: allocators });
  }
  for (const [group, { allocators }] of holdings) {
    if (group !== 0 && !sums.has(group))
      report(`memcg: ${allocators} allocators are in a group that is none`);
  }
  addStocks(cpus, areas, stock, sums, report);
  return sums;
}

function addStocks(
  cpus: Cpus,
  areas: PercpuAreas,
  stock: number,
  sums: ReadonlyMap<number, Sums>,
  report: Report,
): void {
  for (const { cpu, state } of cpus.list()) {
    const at = areas.areaOf(cpu) + stock;
    if (state !== "dead" && peek(areas.words, at + STOCK_LOCK) !== 0)
      report(`memcg: CPU ${cpu}: its stock is in the middle of a change`);
    const units = peek(areas.words, at + STOCK_UNITS);
    if (units === 0) continue;
    const sum = sums.get(peek(areas.words, at + STOCK_GROUP));
    if (units < 0 || sum === undefined) report(`memcg: CPU ${cpu}: a stock of ${units} units of no group`);
    else sum.units += units;
    if (state === "free") report(`memcg: CPU ${cpu}: free, but has a stock of ${units} units`);
  }
}
