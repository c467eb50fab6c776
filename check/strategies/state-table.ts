/** A hash table of states, each with the transitions that were asleep whenever it was visited. */

const MIN_POWER = 16;
const MAX_POWER = 25;

export class StateTable {
  count = 0;
  /** After a visit: what is asleep in the state from now on, whichever way it is reached. */
  asleep = 0;
  private keys = new Float64Array(1 << MIN_POWER);
  private sleeping = new Int32Array(1 << MIN_POWER);

  clear(): void {
    this.count = 0;
    this.keys = new Float64Array(1 << MIN_POWER);
    this.sleeping = new Int32Array(1 << MIN_POWER);
  }

  /** Notes a visit with `sleeping` asleep. Returns what is to be explored: all that is awake, or what only earlier visits left out. */
  visit(key: number, enabled: number, sleeping: number): number {
    if (this.count > this.keys.length * 0.7) this.grow();
    const at = this.find(key);
    if (this.keys[at] === 0) {
      this.keys[at] = key;
      this.sleeping[at] = sleeping;
      this.asleep = sleeping;
      this.count++;
      return enabled & ~sleeping;
    }
    const before = this.sleeping[at];
    this.asleep = before & sleeping;
    this.sleeping[at] = this.asleep;
    return before & ~sleeping & enabled;
  }

  private find(key: number): number {
    const mask = this.keys.length - 1;
    let at = (Math.imul((key % 4294967296) | 0, 0x9e3779b1) ^ (key / 4294967296)) & mask;
    while (this.keys[at] !== 0 && this.keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    if (this.keys.length >= 1 << MAX_POWER)
      throw new Error("more than 23 million states: make the scenario smaller");
    const { keys, sleeping } = this;
    this.keys = new Float64Array(keys.length * 2);
    this.sleeping = new Int32Array(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue;
      const at = this.find(keys[i]);
      this.keys[at] = keys[i];
      this.sleeping[at] = sleeping[i];
    }
  }
}
