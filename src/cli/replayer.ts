/** One worker's part of a replay: its operations, one after the other, on any allocator. */
import type { DemandMeter } from "./demand.ts";
import { messageOf } from "./exit.ts";
import type { HandOver } from "./hand-over.ts";
import { ACT } from "./plan.ts";
import { hasStamp, type Memory, writeStamp } from "./stamp.ts";
import { LARGEST_CACHED } from "./unit-bytes.ts";

/** What a replay needs of an allocator. Offsets are multiples of 8; 0 is out of memory. */
export interface Allocator extends Memory {
  allocate(size: number): number;
  free(offset: number): void;
}

/** What a worker counted. */
export interface Tally {
  failed: number;
  corrupted: number;
  remoteFrees: number;
  largeRequests: number;
}

export interface ReplayerParts {
  operations: Uint32Array;
  sizes: Uint32Array;
  allocator: Allocator;
  handOver: HandOver;
  demand: DemandMeter;
  unitBytes: (request: number) => number;
  /** Called every `progressStep` (a power of two) operations. */
  onProgress: () => void;
  progressStep: number;
}

export class Replayer {
  readonly tally: Tally = { failed: 0, corrupted: 0, remoteFrees: 0, largeRequests: 0 };
  readonly #parts: ReplayerParts;

  constructor(parts: ReplayerParts) {
    this.#parts = parts;
  }

  /** Does all operations once. An error of the allocator is thrown on with the operation it came from. */
  round(): void {
    const { operations, onProgress, progressStep } = this.#parts;
    let i = 0;
    try {
      for (; i < operations.length; i++) {
        this.#act(operations[i]);
        if ((i & (progressStep - 1)) === progressStep - 1) onProgress();
      }
    } catch (error) {
      throw new Error(`${this.#describe(i)}: ${messageOf(error)}`, { cause: error });
    }
    this.#parts.demand.flush();
  }

  #act(operation: number): void {
    const id = operation >>> 2;
    const { handOver } = this.#parts;
    switch (operation & 3) {
      case ACT.alloc:
        handOver.keep(id, this.#allocate(id));
        break;
      case ACT.allocRemote:
        handOver.publish(id, this.#allocate(id));
        break;
      case ACT.free:
        this.#free(id, handOver.take(id));
        break;
      default:
        if (this.#free(id, handOver.receive(id))) this.tally.remoteFrees++;
    }
  }

  #allocate(id: number): number {
    const { allocator, sizes, demand, unitBytes } = this.#parts;
    const size = sizes[id];
    if (size > LARGEST_CACHED) this.tally.largeRequests++;
    const offset = allocator.allocate(size);
    if (offset === 0) {
      this.tally.failed++;
      return 0;
    }
    if (offset % 8 !== 0) throw new Error(`offset ${offset} is not a multiple of 8`);
    writeStamp(allocator, offset, size, id);
    demand.change(size, unitBytes(size));
    return offset;
  }

  #free(id: number, offset: number): boolean {
    if (offset === 0) return false;
    const { allocator, sizes, demand, unitBytes } = this.#parts;
    const size = sizes[id];
    if (!hasStamp(allocator, offset, size, id)) this.tally.corrupted++;
    allocator.free(offset);
    demand.change(-size, -unitBytes(size));
    return true;
  }

  #describe(index: number): string {
    const operation = this.#parts.operations[index];
    const verb = (operation & 3) < ACT.free ? "allocating" : "freeing";
    return `operation ${index + 1}, ${verb} ${this.#parts.sizes[operation >>> 2]} bytes`;
  }
}
