/**
 * What groups count: what is charged to them, and who holds them. A charge climbs the tree group by group, and an
 * allocator or a group that goes hands up what it lost before it is gone: a thread may die in between.
 */
import { fetchAdd, peek, storeRelease } from "#primitive";
import type { System } from "../inspect/index.ts";
import { type Holdings, heldBytes, type Sums, sumsOf } from "../mm/index.ts";
import { MEMCG_CURRENT, MEMCG_LOST, MEMCG_PARENT, MEMCG_PEAK, MEMCG_REFS, UNIT_BYTES } from "../mm/layout.ts";
import type { Taken } from "./counts.ts";
import type { Finding } from "./report.ts";

export function groupCounts(system: System, taken: Taken): Finding[] {
  const { memcgs, cpus, areas, chargeStock } = system;
  const sums = sumsOf(memcgs, cpus, areas, chargeStock, holdingsOf(system, taken), () => {});
  const findings: Finding[] = [];
  const settled = new Set<number>();
  for (const group of sums.keys()) settle(group);
  for (const { record } of memcgs.every())
    findings.push(...holds(system, record, sums.get(record)?.refs ?? 0));
  return findings;

  /** Children first: what they are charged with, they are right about then. */
  function settle(group: number): void {
    if (settled.has(group)) return;
    settled.add(group);
    const own = sums.get(group) as Sums;
    for (const { units } of childrenOf(group)) {
      own.refs++;
      own.units += units;
    }
    findings.push(...losses(system, group, own), ...charges(system, group, own.units));
  }

  function childrenOf(group: number): Sums[] {
    const children = [...sums].filter(([child]) => parentOf(system, child) === group);
    for (const [child] of children) settle(child);
    return children.map(([, own]) => own);
  }
}

function holdingsOf({ pages }: System, taken: Taken): Map<number, Holdings> {
  const holdings = new Map<number, Holdings>();
  for (const [allocator, counts] of taken) {
    const before = holdings.get(allocator.memcg) ?? { units: 0, allocators: 0 };
    const bytes = counts.reduce(
      (sum, count, i) => sum + count * heldBytes(pages.words, allocator.slabCaches[i]),
      0,
    );
    const units = before.units + bytes / UNIT_BYTES;
    holdings.set(allocator.memcg, { units, allocators: before.allocators + 1 });
  }
  return holdings;
}

/**
 * What those that were half gone had to hand up to the group. Whether they had is not written down: if so much more is
 * charged than is accounted for, they had not. `own` is raised by it.
 */
function losses(system: System, group: number, own: Sums): Finding[] {
  const { areas } = system;
  const current = peek(areas.words, group + MEMCG_CURRENT);
  return lostIn(system, group).flatMap((units) => {
    if (units === 0 || current - own.units < units) return [];
    own.units += units;
    const line = `${nameOf(system, group)}: ${units * UNIT_BYTES} bytes that will never come back were not its own`;
    return [{ line, mend: () => fetchAdd(areas.words, group + MEMCG_LOST, units) }];
  });
}

function lostIn({ allocators, memcgs, areas }: System, group: number): number[] {
  const ofAllocators = allocators
    .releasing()
    .filter(({ memcg }) => memcg === group)
    .map((allocator) => allocators.lostUnits(allocator));
  const ofChildren = memcgs
    .releasing()
    .filter(({ record }) => peek(areas.words, record + MEMCG_PARENT) === group)
    .map(({ record }) => peek(areas.words, record + MEMCG_CURRENT));
  return [...ofAllocators, ...ofChildren];
}

function charges(system: System, group: number, units: number): Finding[] {
  const { words } = system.areas;
  const current = peek(words, group + MEMCG_CURRENT);
  if (current === units) return [];
  const bytes = [current, units].map((each) => each * UNIT_BYTES);
  const mend = (): void => {
    fetchAdd(words, group + MEMCG_CURRENT, units - current);
    if (peek(words, group + MEMCG_PEAK) < units) storeRelease(words, group + MEMCG_PEAK, units);
  };
  return [{ line: `${nameOf(system, group)}: ${bytes[0]} bytes were charged, ${bytes[1]} are held`, mend }];
}

/** Also of groups that are gone: their records are used again. */
function holds(system: System, group: number, refs: number): Finding[] {
  const { words } = system.areas;
  const counted = peek(words, group + MEMCG_REFS);
  if (counted === refs) return [];
  const line = `${nameOf(system, group)}: ${counted} holds were counted, ${refs} there`;
  return [{ line, mend: () => fetchAdd(words, group + MEMCG_REFS, refs - counted) }];
}

function parentOf({ areas }: System, group: number): number {
  return peek(areas.words, group + MEMCG_PARENT);
}

function nameOf({ memcgs }: System, group: number): string {
  return `group ${JSON.stringify(memcgs.nameOf(group))}`;
}
