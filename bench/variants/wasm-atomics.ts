/**
 * Atomics as functions of a small wasm module, whose memory is the heap: V8 inlines calls into wasm where it calls a
 * builtin for each of `Atomics`. One heap a process, and none in other threads: a module knows one memory.
 */

/** How many i32 parameters each has, the opcode behind the prefix of atomic ones, and whether it returns an i32. */
const FUNCTIONS = {
  load: { parameters: 1, opcode: 0x10, returns: true },
  store: { parameters: 2, opcode: 0x17, returns: false },
  add: { parameters: 2, opcode: 0x1e, returns: true },
  or: { parameters: 2, opcode: 0x33, returns: true },
  xchg: { parameters: 2, opcode: 0x41, returns: true },
  cmpxchg: { parameters: 3, opcode: 0x48, returns: true },
} as const;

const I32 = 0x7f;
const ALIGNED_TO_4 = 2;

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function text(value: string): number[] {
  return [value.length, ...new TextEncoder().encode(value)];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function body(parameters: number, opcode: number): number[] {
  const pushed = Array.from({ length: parameters }, (_, i) => [0x20, i]).flat();
  const code = [0, ...pushed, 0xfe, opcode, ALIGNED_TO_4, 0, 0x0b];
  return [...leb(code.length), ...code];
}

/** The module. It imports its memory, shared, of up to 4 GiB, as `heap.memory`. */
function wasmAtomics(): Uint8Array {
  const functions = Object.entries(FUNCTIONS);
  const types = functions.map(([, { parameters, returns }]) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [I32])),
    ...vector(returns ? [[I32]] : []),
  ]);
  const memory = [...text("heap"), ...text("memory"), 2, 3, ...leb(1), ...leb(65536)];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, i) => [i]))),
    ...section(7, vector(functions.map(([name], i) => [...text(name), 0, i]))),
    ...section(10, vector(functions.map(([, { parameters, opcode }]) => body(parameters, opcode)))),
  ]);
}

/** Text for memory.js: makes the buffer of a heap, and `wasmAtomics` for it, which everyone sees. */
export const NEW_WASM_BUFFER = `(() => {
            const memory = new WebAssembly.Memory({ initial: bytes / 65536, maximum: 65536, shared: true });
            const module = new WebAssembly.Module(new Uint8Array([${wasmAtomics()}]));
            globalThis.wasmAtomics = new WebAssembly.Instance(module, { heap: { memory } }).exports;
            return memory.buffer;
        })()`;
