/** Records of allocators and groups whose makers, or undertakers, died: they may be used again. */
import { peek, storeRelease } from "#primitive";
import type { Records, Ref } from "../arena/index.ts";
import { RECORD_DATA } from "../arena/layout.ts";
import type { System } from "../inspect/index.ts";
import { ALLOC_PERCPU, PIN } from "../memalloc/layout.ts";
import type { Finding } from "./report.ts";

export function strayRecords(system: System): Finding[] {
  const { registry, memcgs, allocators, directory } = system;
  const named = (what: string, { record }: Ref) => `${what} "${directory.nameOf(record)}"`;
  const halfMade = (what: string, records: Records) =>
    records
      .unfinished()
      .map((ref) => ({ line: `${named(what, ref)} was half made`, mend: () => records.abandon(ref) }));
  return [
    ...halfMade("allocator", registry),
    ...halfMade("group", memcgs),
    ...allocators.releasing().map((allocator) => ({
      line: `allocator "${allocator.name}" was half gone`,
      mend: () => allocators.retire(allocator),
    })),
    ...memcgs.releasing().map((ref) => ({
      line: `${named("group", ref)} was half gone`,
      mend: () => memcgs.retire(ref),
    })),
  ];
}

/** What is counted of all records of a kind; and pins of CPUs that nobody has. */
export function recordCounts(system: System): Finding[] {
  const { registry, memcgs } = system;
  return [...ofRecords("allocators", registry), ...ofRecords("groups", memcgs), ...stalePins(system)];
}

function ofRecords(what: string, records: Records): Finding[] {
  const findings: Finding[] = [];
  const error = records.drainingError;
  if (error !== 0)
    findings.push({
      line: `${what}: ${-error} too many were said to be going away`,
      mend: () => records.correctDraining(error),
    });
  if (records.isInstalling)
    findings.push({
      line: `${what}: one was said to be in the middle of being made`,
      mend: () => records.endInstalling(),
    });
  return findings;
}

/** A reap lowers the pins of allocators that there are; one of a record that was being made stays up. */
function stalePins({ registry, areas, cpus, directory }: System): Finding[] {
  const free = cpus.list().filter(({ state }) => state === "free");
  return registry.every().flatMap(({ record }) =>
    free.flatMap(({ cpu }) => {
      const at = areas.areaOf(cpu) + peek(areas.words, record + RECORD_DATA + ALLOC_PERCPU) + PIN;
      if (peek(areas.words, at) === 0) return [];
      // pairs with the loads in Allocators.release
      const mend = () => storeRelease(areas.words, at, 0);
      return [{ line: `"${directory.nameOf(record)}" was pinned by CPU ${cpu}, which is free`, mend }];
    }),
  );
}
