/** What is done to an object before the program gets it. */
import { type Words, zeroPrivate } from "#primitive";
import type { Pages } from "../mm/index.ts";
import type { Findings } from "./findings.ts";
import { FRESH_BYTE, STATE_GONE } from "./layout.ts";
import { type Memory, memoryAt } from "./placement.ts";
import { type Caller, isRecord, stateOf, writeRecord } from "./record.ts";
import type { Reports } from "./reports.ts";
import { closeZones, fillBytes } from "./zones.ts";

/** What the program finds in the object: FRESH_BYTE, zeros, or what is there. */
export type Contents = "fresh" | "zeros" | "kept";

export class HandOut {
  private readonly words: Words;
  private readonly pages: Pages;
  private readonly reports: Reports;
  private readonly findings: Findings;

  constructor(pages: Pages, reports: Reports, findings: Findings) {
    this.words = pages.words;
    this.pages = pages;
    this.reports = reports;
    this.findings = findings;
  }

  /**
   * An allocator's object: zeros if it comes from slab, and else what writes to it since it left quarantine are looked
   * for. `isKept`: it keeps what it held.
   */
  ofAllocator(p: number, size: number, key: number, isKept: boolean, by: Caller): void {
    const wasUsed = isRecord(this.words, p) && stateOf(this.words, p) === STATE_GONE;
    if (wasUsed) this.checkUsed(p, isKept);
    this.make(p, size, key, wasUsed && !isKept ? "fresh" : "kept", by);
  }

  /** Makes the memory whose program's part begins at `p`, and which is this CPU's, a live object. */
  make(p: number, size: number, key: number, contents: Contents, by: Caller): void {
    if (contents === "fresh") fillBytes(this.words, p, p + size, FRESH_BYTE);
    if (contents === "zeros") zeroPrivate(this.words, p >>> 2, (size + 3) >>> 2);
    this.closeZones(p, size);
    // last: from here on the zones are looked at
    writeRecord(this.words, p, size, key, by);
  }

  /** Makes the zones around the program's part: again, where whole words were zeroed. */
  closeZones(p: number, size: number): void {
    closeZones(this.words, p, p + size, (memoryAt(this.pages, p) as Memory).end);
  }

  private checkUsed(p: number, isKept: boolean): void {
    const damage = this.reports.damage(p, memoryAt(this.pages, p) as Memory, isKept);
    if (damage !== "") this.findings.add(this.reports.corrupt("", p, damage));
  }
}
