/**
 * Groups of this thread: in others of its own, in ones that all threads share, in the root, or in none. Some have limits
 * that move, some limits that do not. They are dropped in any order, with charges out and groups below them.
 */
import type { Memcg } from "sharedheap";
import { checkMax, codesOf, type Group } from "./group.ts";
import { FIXED_LIMIT, ROOT, TIGHT } from "./job.ts";
import { attempt, mustRefuse } from "./refusals.ts";
import type { Tenant } from "./tenant.ts";

const MAX_DEPTH = 4;
const MAX_GROUPS = 12;
const MAX_CHAIN = 16;
/** Limits: from none at all to what a few allocators fill, in units of 8 bytes. */
const MOST = 50 * 1024;
const A_BIT = 8 * 1024;
/** Calls of a handler before it goes. */
const MAX_CALLS = 20;

export class Groups {
  root: Memcg;
  /** What all threads fill. */
  tight: Memcg;
  private readonly tenant: Tenant;
  private live: Group[] = [];
  private serial = 0;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
    this.root = tenant.heap.memcg({ name: ROOT });
    this.tight = tenant.heap.memcg({ name: TIGHT });
  }

  /** One that was not dropped by this thread, or undefined if there is none. */
  pick(): Group | undefined {
    return this.live[this.tenant.random(Math.max(this.live.length, 1))];
  }

  /** Another one, somewhere. Any context. */
  make(): void {
    const { random, shared } = this.tenant;
    if (this.live.length >= MAX_GROUPS) return;
    const above = random(3) === 0 ? shared.open() : this.pick();
    const where = random(8);
    if (where === 0) this.add(undefined, undefined);
    else if (where < 3 || above === undefined || above.depth === MAX_DEPTH) this.add(undefined, this.root);
    else this.add(above, above.memcg);
    // it is dropped as the others are
    if (above?.isShared && random(2) === 0) this.live.push(above);
  }

  /** A tree of them, as large as names allow. Then all are dropped, from the top or from below. */
  tree(): void {
    const { random, tally } = this.tenant;
    const groups: Memcg[] = [];
    for (let i = random(MAX_CHAIN); i >= 0; i--) {
      const parent = groups[random(groups.length + 1)] ?? this.root;
      const group = attempt(tally, ["limit"], () => this.open("group", Infinity, parent));
      if (group !== undefined) groups.push(group);
    }
    if (random(2) === 0) groups.reverse();
    for (const group of groups) group.drop();
    tally.add("dropped", groups.length);
  }

  /** Any context. */
  drop(): void {
    const group = this.pick();
    if (group === undefined) return;
    const { heap, tally } = this.tenant;
    this.live = this.live.filter((each) => each !== group);
    attempt(tally, codesOf(group), () => this.dropOne(group));
    mustRefuse("destroyed", () => group.memcg.current);
    mustRefuse("destroyed", () => heap.memcg({ name: "below nothing", parent: group.memcg }));
  }

  /** Moves a limit: often below what is charged. Any context. */
  moveMax(group: Group | undefined = this.pick()): void {
    if (group === undefined || group.max === Infinity || group.name.startsWith(FIXED_LIMIT)) return;
    const { random, tally } = this.tenant;
    checkMax(group);
    const current = group.memcg.current / 8;
    const units = [random(MOST), current >>> 1, current, current + random(A_BIT), 2 * MOST][random(5)];
    group.max = units * 8;
    group.memcg.max = group.max;
    tally.add("moved");
  }

  /** From here on, for a while, something is done when an alloc of this thread finds it full. */
  handle(): void {
    const group = this.pick();
    if (group === undefined || group.isShared) return;
    const { random, tally, pools } = this.tenant;
    let calls = 1 + random(MAX_CALLS);
    const off = group.memcg.onMax(() => {
      tally.add("handled");
      if (--calls === 0) off();
      const what = random(8);
      if (what < 4) pools.freeSome();
      else if (what < 6) this.moveMax(group);
      else if (what === 6) this.make();
      else this.drop();
    });
  }

  /** This thread has attached again. */
  reopen(): void {
    const { heap } = this.tenant;
    this.root = heap.memcg({ name: ROOT });
    this.tight = heap.memcg({ name: TIGHT });
    // those that others drop may be gone, or be other ones by now
    this.live = this.live.filter(({ isShared }) => !isShared);
    for (const group of this.live) group.memcg = heap.memcg({ name: group.name });
  }

  dropAll(): void {
    while (this.live.length > 0) this.drop();
  }

  private add(above: Group | undefined, parent: Memcg | undefined): void {
    const { random, tally } = this.tenant;
    const kind = random(4) === 0 ? FIXED_LIMIT : "group";
    const max = kind === "group" && random(2) === 0 ? Infinity : random(MOST) * 8;
    const memcg = attempt(tally, codesOf(above, "limit"), () => this.open(kind, max, parent));
    if (memcg === undefined) return;
    this.live.push({
      ...{ name: memcg.name, memcg, depth: (above?.depth ?? 0) + 1, parent: above, max },
      isRoomy: max === Infinity && above?.isRoomy !== false,
      isUnderRoot: above?.isUnderRoot ?? parent !== undefined,
      isShared: false,
    });
  }

  private open(kind: string, max: number, parent: Memcg | undefined): Memcg {
    const { heap, thread, tally } = this.tenant;
    const name = `${kind} ${thread}.${this.serial++}`;
    const memcg = heap.memcg({ name, max, ...(parent !== undefined && { parent }) });
    tally.add("groups");
    if (parent !== undefined) tally.add("nested");
    if (memcg.current === 0 && memcg.peak === 0) return memcg;
    throw new Error(`group "${name}" is new, and ${memcg.current} bytes are charged to it`);
  }

  /** Errors: `destroyed`, if it is shared. */
  private dropOne(group: Group): void {
    const { tally } = this.tenant;
    checkMax(group);
    const charged = group.memcg.current;
    group.memcg.drop();
    tally.add("dropped");
    if (charged > 0) tally.add("droppedCharged");
    if (this.live.some(({ parent }) => parent === group)) tally.add("droppedAboveOthers");
  }
}
