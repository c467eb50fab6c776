/** What is said of an object: whose it is, who allocated and freed it, what was overwritten. */
import { peek, type Words } from "#primitive";
import { type Directory, readName, SharedHeapError } from "../arena/index.ts";
import { KIND_ALLOCATOR, RECORD_DATA, RECORD_NAME } from "../arena/layout.ts";
import type { Cpus } from "../cpu/index.ts";
import { ALLOC_KEY } from "../memalloc/layout.ts";
import {
  FREED_BYTE,
  KEY_KMALLOC,
  RECORD_WORDS,
  STATE_LIVE,
  STATE_WAITING,
  ZONE_BYTE,
  ZONE_BYTES,
} from "./layout.ts";
import type { Memory } from "./placement.ts";
import { allocatedBy, type Caller, freedBy, keyOf, sizeOf, stateOf } from "./record.ts";
import type { Sites } from "./sites.ts";
import { bytesAt, bytesOf, firstOther, zoneEnd } from "./zones.ts";

export class Reports {
  readonly words: Words;
  private readonly directory: Directory;
  private readonly cpus: Cpus;
  private readonly sites: Sites;

  constructor(directory: Directory, cpus: Cpus, sites: Sites) {
    this.words = directory.words;
    this.directory = directory;
    this.cpus = cpus;
    this.sites = sites;
  }

  /** The object at `p`, which has a record: "object at 4152 (64 bytes) of "voice"; allocated at ..., freed at ...". */
  object(p: number): string {
    const { words } = this;
    const freed = freedBy(words, p);
    const what = `object at ${p} (${sizeOf(words, p)} bytes) of ${this.nameOf(keyOf(words, p))}`;
    const born = `${what}; allocated at ${this.caller(allocatedBy(words, p))}`;
    return freed === undefined ? born : `${born}; freed at ${this.caller(freed)}`;
  }

  /** Where the object at `p` was allocated. */
  allocation(p: number): string {
    return this.caller(allocatedBy(this.words, p));
  }

  /** What was overwritten around the object at `p`, or in it where it must not have changed; "": nothing. */
  damage(p: number, memory: Memory, isKept: boolean): string {
    const state = stateOf(this.words, p);
    const isPoisoned = !isKept && state !== STATE_LIVE && state !== STATE_WAITING;
    const end = p + sizeOf(this.words, p);
    // the record says where it ends, and may be anything
    if (end + ZONE_BYTES > memory.end) return "its size does not fit";
    return (
      this.overwritten(p, p - ZONE_BYTES, p, ZONE_BYTE, "underrun") ||
      (isPoisoned ? this.overwritten(p, p, end, FREED_BYTE, "use after free") : "") ||
      this.overwritten(p, end, zoneEnd(end, memory.end), ZONE_BYTE, "overrun")
    );
  }

  /** That damage was found: `call` found it, "" for a walk over the heap. */
  corrupt(call: string, p: number, damage: string): SharedHeapError {
    return new SharedHeapError("corrupt", `${call}${damage}; ${this.object(p)}`);
  }

  /** The record of the object at `p` is gone: says what is in its place, and who may have done it. */
  lostRecord(call: string, p: number, neighbour: string): SharedHeapError {
    const from = p - RECORD_WORDS * 4;
    const found = bytesAt(this.words, from, p);
    const why = neighbour === "" ? "" : `: ${neighbour}`;
    return new SharedHeapError(
      "corrupt",
      `${call}the object at ${p}: what debug mode keeps in front of it was overwritten, and begins ${found}${why}`,
    );
  }

  /** What a key stands for. */
  nameOf(key: number): string {
    if (key === KEY_KMALLOC) return "kmalloc";
    if (key > 0) return `"${readName(this.words, key - RECORD_DATA + RECORD_NAME)}"`;
    for (const record of this.directory.ofKind(KIND_ALLOCATOR))
      if (peek(this.words, record + RECORD_DATA + ALLOC_KEY) === key)
        return `"${this.directory.nameOf(record)}"`;
    return "an allocator that has been destroyed";
  }

  private caller({ site, claim }: Caller): string {
    const { cpu, generation } = this.cpus.holderOf(claim);
    // another thread's name would be worse than none
    const isThere = cpu < this.cpus.maxCpus && this.cpus.generationOf(cpu) === generation;
    const known = isThere ? this.cpus.nameOf(cpu) : "";
    return `${this.sites.text(site)} (CPU ${cpu}${known === "" ? "" : ` ${known}`})`;
  }

  private overwritten(p: number, from: number, to: number, byte: number, what: string): string {
    const at = firstOther(this.words, from, to, byte);
    if (at < 0) return "";
    const expected = bytesOf(byte, to - at);
    return `${what}: from offset ${at - p} on expected ${expected}, found ${bytesAt(this.words, at, to)}`;
  }
}
