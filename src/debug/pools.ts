/** What the allocators of a debug heap have in common: MemAlloc and MemCache. */
import { SharedHeapError, shown } from "../arena/index.ts";
import { ZERO_SIZE_PTR } from "../arena/layout.ts";
import type { Cpu } from "../cpu/index.ts";
import type { Destroyed } from "../memalloc/index.ts";
import { HEADER_BYTES } from "../memalloc/layout.ts";
import type { Findings } from "./findings.ts";
import type { FreeCheck } from "./free-check.ts";
import type { HandOut } from "./hand-out.ts";
import { FRONT_BYTES } from "./layout.ts";
import { type Caller, isRecord } from "./record.ts";
import type { Reports } from "./reports.ts";
import type { Retire } from "./retire.ts";
import type { Sites } from "./sites.ts";

/** From the offset of an allocator's object to that of the program's part of it. */
export const SHIFT_BYTES = FRONT_BYTES - HEADER_BYTES;

/** What it stands on. */
export interface PoolParts {
  readonly cpu: Cpu;
  readonly sites: Sites;
  readonly handOut: HandOut;
  readonly check: FreeCheck;
  readonly retire: Retire;
  readonly reports: Reports;
  readonly findings: Findings;
}

/** Gives back the objects at `starts`, as release mode knows them; `freeing` is called with each before it goes. */
export type FreeLeaked = (starts: readonly number[], freeing: (start: number) => void) => void;

export class Pools {
  private readonly parts: PoolParts;

  constructor(parts: PoolParts) {
    this.parts = parts;
  }

  /** The program's part of the object that release mode handed out at `start`, which may be NULL. */
  handOut(start: number, size: number, key: number, by: Caller): number {
    if (start <= ZERO_SIZE_PTR) return start;
    const { handOut, retire } = this.parts;
    const p = start + SHIFT_BYTES;
    const memory = retire.memoryOf(p);
    const isKept = retire.keepsContents(retire.homeIn(p), memory);
    handOut.ofAllocator(p, size, key, isKept, by);
    return p;
  }

  /** An object's first bytes were zeroed, by words. */
  zeroed(p: number, size: number): void {
    if (p > ZERO_SIZE_PTR) this.parts.handOut.closeZones(p, size);
  }

  /** See Retire.retry. */
  retry(alloc: () => number): number {
    return this.parts.retire.retry(alloc);
  }

  /**
   * Frees the object of the allocator with that name and key. `how`: HOW_HOME, HOW_RAW. Errors: those of FreeCheck; what
   * was found on the way.
   */
  free(name: string, key: number, p: number, how: number): void {
    if (p === 0 || p === ZERO_SIZE_PTR) return;
    const call = `"${name}": free(${shown(p)}): `;
    const memory = this.parts.check.live(p, key, call);
    const isMine = this.parts.retire.free(p, memory, how, this.caller());
    if (!isMine) throw this.parts.check.freedTwice(p, call);
    this.parts.findings.tell();
  }

  /** The same when no reader can see it any more. */
  freeRcu(name: string, key: number, p: number): void {
    if (p === 0 || p === ZERO_SIZE_PTR) return;
    const call = `"${name}": freeRcu(${shown(p)}): `;
    const memory = this.parts.check.live(p, key, call);
    const isMine = this.parts.retire.freeRcu(p, memory, this.caller());
    if (!isMine) throw this.parts.check.freedTwice(p, call);
    this.parts.findings.tell();
  }

  /**
   * An allocator is going away: what this CPU holds back is given up at once. The result names where the objects that are
   * still out were allocated. Rejects, at the end, with what was found in what this CPU held back, and around those objects.
   */
  async destroy(destroyed: Promise<Destroyed>): Promise<Destroyed> {
    const { retire, findings } = this.parts;
    retire.makeRoom();
    const found = findings.take();
    const { leaked } = await destroyed;
    const objects = leaked.map((start) => start + SHIFT_BYTES);
    const problems = objects.map((p) => this.damage(p)).filter((damage) => damage !== "");
    if (found !== undefined) problems.unshift(found.message);
    if (problems.length > 0) throw new SharedHeapError("corrupt", problems.join("\n"));
    return { leaked: objects, allocatedAt: objects.map((p) => this.parts.reports.allocation(p)) };
  }

  /** See Debug.freeLeaked. Errors: `bad-pointer`. */
  freeLeaked(leaked: readonly number[], free: FreeLeaked): void {
    free(
      leaked.map((p) => this.startOf(p)),
      (start) => this.forget(start),
    );
  }

  /** See Debug.forget. */
  forget(start: number): void {
    const p = this.programOffset(start);
    if (isRecord(this.parts.reports.words, p)) this.parts.retire.forget(p, this.caller());
  }

  /** See Debug.programOffset. */
  programOffset(start: number): number {
    return this.parts.retire.isGuardedAt(start) ? start + SHIFT_BYTES : start;
  }

  /** What release mode knows an object by. Errors: `bad-pointer`, for what debug mode covers and is no object. */
  private startOf(p: number): number {
    if (!this.parts.retire.isGuardedAt(p)) return p;
    if (isRecord(this.parts.reports.words, p)) return p - SHIFT_BYTES;
    throw new SharedHeapError(
      "bad-pointer",
      `freeLeaked(${shown(p)}): no object of an allocator that is gone`,
    );
  }

  private damage(p: number): string {
    const { reports, retire } = this.parts;
    const memory = retire.memoryOf(p);
    if (!isRecord(reports.words, p)) return reports.lostRecord("", p, "").message;
    const damage = reports.damage(p, memory, true);
    return damage === "" ? "" : reports.corrupt("", p, damage).message;
  }

  /** Who calls: to be asked before an object is taken, since that takes long. */
  caller(): Caller {
    return { site: this.parts.sites.here(), claim: this.parts.cpu.claim };
  }
}
