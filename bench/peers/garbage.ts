/** V8's own objects, which nobody frees. */
import { garbagePeer } from "./peer.ts";

/** 64 bytes of fields. */
class Eight {
  a: number;
  b = 0;
  c = 0;
  d = 0;
  e = 0;
  f = 0;
  g = 0;
  h = 0;

  constructor(value: number) {
    this.a = value;
  }
}

export function makeEight(_size: number, value: number): Eight {
  return new Eight(value);
}

export function makeArray(size: number, value: number): Float64Array {
  const array = new Float64Array((size + 7) >>> 3);
  array[0] = value;
  return array;
}

export const v8Object = garbagePeer("V8 object", true, makeEight);
export const v8Array = garbagePeer("V8 Float64Array", false, makeArray);
