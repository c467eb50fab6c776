/**
 * Allocators of this thread, each in one of its groups. Others open them too, by their names, for the objects that they
 * are sent. They are destroyed at any time, with objects out.
 */
import { stamp, unstamp } from "../objects.ts";
import { LENT_POOLS, SERIALS } from "./control.ts";
import { codesOf, type Group } from "./group.ts";
import { chargeOf, encode, type Opened, open, randomShape, reserve, type Shape, sizeOf } from "./kinds.ts";
import { attempt } from "./refusals.ts";
import type { Tenant } from "./tenant.ts";

interface Pool {
  readonly name: string;
  readonly shape: Shape;
  readonly group: Group;
  readonly place: number;
  readonly serial: number;
  opened: Opened;
  readonly held: number[];
}

/** Objects that this thread holds of one allocator, at most. */
const MAX_HELD = 200;
/** Objects that are left when it is destroyed, fewer. */
const MAX_LEFT = 8;
const SOME = 16;

export class Pools {
  private readonly tenant: Tenant;
  private readonly places: (Pool | undefined)[] = new Array(LENT_POOLS).fill(undefined);
  private serial = 0;
  private marks = 0;

  constructor(tenant: Tenant) {
    this.tenant = tenant;
  }

  /** Another one, if there is a group for it and a place. */
  make(): void {
    const { tenant } = this;
    const group = tenant.groups.pick();
    const place = this.places.indexOf(undefined);
    if (group === undefined || place < 0) return;
    this.serial = (this.serial + 1) % SERIALS || 1;
    const { serial } = this;
    const name = `pool ${tenant.thread}.${serial}`;
    const shape = randomShape(tenant.random, group.isUnderRoot);
    // where there is no limit, nothing may be refused
    const codes = codesOf(group, "limit", ...(group.isRoomy ? [] : (["out-of-memory"] as const)));
    const opened = attempt(tenant.tally, codes, () => open(tenant.heap, name, shape, group.memcg));
    if (opened === undefined) return;
    this.places[place] = { name, shape, group, place, serial, opened, held: [] };
    tenant.control.lend(tenant.thread, place, serial);
    tenant.tally.add("pools");
  }

  /** Some calls on one of them. */
  use(): void {
    const pool = this.pick();
    if (pool === undefined) return;
    const { random, heap } = this.tenant;
    for (let i = random(4 * SOME); i > 0; i--) {
      const what = random(100);
      // at a limit the next one would most likely be refused too, after all that can be done about it
      if (what < 56 && !this.alloc(pool) && random(4) !== 0) return;
      if (what < 56) continue;
      if (what < 92) this.free(pool);
      else if (what < 97) this.send(pool);
      else heap.context.nmi(() => this.alloc(pool));
    }
  }

  /** Fills one of them, until there is no more to be had. */
  fill(): void {
    const pool = this.pick();
    if (pool === undefined) return;
    while (pool.held.length < MAX_HELD && this.alloc(pool));
  }

  /** Has one of them keep some objects, or no more. */
  reserve(): void {
    const pool = this.pick();
    if (pool === undefined) return;
    const objects = this.tenant.random(2) * this.tenant.random(MAX_HELD);
    const got = reserve(pool.opened, pool.shape, objects);
    if (got >= objects) return;
    if (pool.group.isRoomy) throw new Error(`"${pool.name}" has ${got} objects in reserve, not ${objects}`);
    this.tenant.tally.add("refused");
  }

  /** Frees some objects of one of them. Any context. */
  freeSome(): void {
    const pool = this.pick();
    if (pool === undefined) return;
    for (let i = this.tenant.random(2 * SOME); i > 0; i--) this.free(pool);
  }

  /** Ends one of them, often with objects out: those stay charged for ever, so not with many. */
  end(): void {
    const pool = this.pick();
    if (pool === undefined) return;
    this.freeHeld(pool, this.tenant.random(MAX_LEFT));
    this.destroy(pool);
  }

  freeAll(): void {
    for (const pool of this.places) if (pool !== undefined) this.freeHeld(pool);
  }

  /** False: somebody is just opening one. */
  endAll(): boolean {
    for (const pool of this.places) if (pool !== undefined) this.destroy(pool);
    return this.places.every((pool) => pool === undefined);
  }

  /** This thread has attached again. */
  reopen(): void {
    for (const pool of this.places)
      if (pool !== undefined) pool.opened = open(this.tenant.heap, pool.name, pool.shape);
  }

  /** An object was got from an allocator of that shape. */
  noteMade(shape: Shape, p: number, bytes: number): void {
    const { heap, tally, cpus, thread } = this.tenant;
    stamp(heap, p, bytes, this.marks++ * 64 + thread);
    tally.add("made");
    if (shape.isUnderRoot) tally.add("bytes", chargeOf(shape, bytes, cpus));
  }

  /** Frees an object, after a look whether it is as it was left. `how`: one of the ways. */
  release(opened: Opened, shape: Shape, p: number, how: number): void {
    const { heap, tally, cpus } = this.tenant;
    const bytes = heap.u32[p >>> 2];
    unstamp(heap, p);
    if (how === 0) opened.freeRcu(p);
    else if (how === 1) opened.rawFree(p);
    else opened.free(p);
    tally.add("freed");
    tally.add("operations");
    if (shape.isUnderRoot) tally.add("bytes", -chargeOf(shape, bytes, cpus));
  }

  private pick(): Pool | undefined {
    return this.places[this.tenant.random(this.places.length)];
  }

  /** False: NULL. */
  private alloc(pool: Pool): boolean {
    const { tally, heap, random } = this.tenant;
    if (pool.held.length >= MAX_HELD) return true;
    tally.add("operations");
    const bytes = sizeOf(pool.shape, random);
    const p = pool.opened.alloc(bytes);
    if (p === 0) {
      if (heap.context.inTask() && pool.group.isRoomy)
        throw new Error(
          `NULL for ${bytes} bytes of "${pool.name}" in "${pool.group.name}", which has no limit`,
        );
      tally.add("refused");
      return false;
    }
    this.noteMade(pool.shape, p, bytes);
    pool.held.push(p);
    return true;
  }

  private free(pool: Pool): void {
    const { random } = this.tenant;
    const p = this.take(pool);
    if (p !== 0) this.release(pool.opened, pool.shape, p, random(8));
  }

  private freeHeld(pool: Pool, allBut = 0): void {
    while (pool.held.length > allBut) this.free(pool);
  }

  /** Any of those that are held, which is not any more; or 0. */
  private take({ held }: Pool): number {
    if (held.length === 0) return 0;
    const i = this.tenant.random(held.length);
    const p = held[i];
    held[i] = held[held.length - 1];
    held.pop();
    return p;
  }

  /** One of the objects goes to another thread, which is to free it. */
  private send(pool: Pool): void {
    const { control, thread, threads, random } = this.tenant;
    const p = this.take(pool);
    if (p === 0) return;
    const { place, serial, shape } = pool;
    const to = (thread + 1 + random(threads - 1)) % threads;
    const letter = { p, owner: thread, place, serial, shape: encode(shape) };
    if (!control.send(to, letter)) pool.held.push(p);
  }

  private destroy(pool: Pool): void {
    const { control, thread, endings } = this.tenant;
    if (!control.callIn(thread, pool.place, pool.serial)) return;
    this.places[pool.place] = undefined;
    endings.end(pool.opened);
  }
}
