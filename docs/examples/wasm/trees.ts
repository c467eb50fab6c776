/**
 * A WebAssembly module that allocates with a heap of ours: its `malloc` and `free` are imports, and the heap lies in the
 * module's own memory. The other two programs here use it.
 *
 *     0                64 KiB                        16 MiB
 *     | the module's   | heap                        |
 *     | data and stack |                             |
 *
 * The module sees its whole memory, and what it calls a pointer is an *address*, counted from its beginning. The heap
 * counts *offsets* from the beginning of its window. So address = HEAP_START + offset; and NULL is 0 in both.
 */
import { SharedHeap } from "sharedheap";
import wabt from "wabt";

const TEXT = `
(module
  (import "env" "memory" (memory 1 65536 shared))
  (import "env" "malloc" (func $malloc (param $bytes i32) (result i32)))
  (import "env" "free" (func $free (param $p i32)))
  (import "env" "interrupt" (func $interrupt (param $nodes i32)))

  ;; The head of a list, whose nodes are linked by their left children. Each thread's instance has its own.
  (global $list (mut i32) (i32.const 0))

  ;; A node has a left child, a right child and a key. NULL if there is no memory.
  (func $node (param $left i32) (param $right i32) (param $key i32) (result i32)
    (local $p i32)
    (local.set $p (call $malloc (i32.const 12)))
    (if (local.get $p) (then
      (i32.store (local.get $p) (local.get $left))
      (i32.store offset=4 (local.get $p) (local.get $right))
      (i32.store offset=8 (local.get $p) (local.get $key))))
    (local.get $p))

  ;; A tree of that many levels. The children of key k have 2 k and 2 k + 1. Traps if there is no memory.
  (func $build (export "build") (param $levels i32) (param $key i32) (result i32)
    (local $p i32)
    (if (i32.eqz (local.get $levels)) (then (return (i32.const 0))))
    (local.set $p (call $node
      (call $build (i32.sub (local.get $levels) (i32.const 1)) (i32.shl (local.get $key) (i32.const 1)))
      (call $build (i32.sub (local.get $levels) (i32.const 1))
        (i32.or (i32.shl (local.get $key) (i32.const 1)) (i32.const 1)))
      (local.get $key)))
    (if (i32.eqz (local.get $p)) (then unreachable))
    (local.get $p))

  ;; The sum of all keys.
  (func $sum (export "sum") (param $p i32) (result i32)
    (if (i32.eqz (local.get $p)) (then (return (i32.const 0))))
    (i32.add (i32.load offset=8 (local.get $p))
      (i32.add
        (call $sum (i32.load (local.get $p)))
        (call $sum (i32.load offset=4 (local.get $p))))))

  ;; Frees all nodes.
  (func $drop (export "drop") (param $p i32)
    (if (i32.eqz (local.get $p)) (then (return)))
    (call $drop (i32.load (local.get $p)))
    (call $drop (i32.load offset=4 (local.get $p)))
    (call $free (local.get $p)))

  ;; Is interrupted while it holds a node of key 1; what the handler made is linked to that. Returns it.
  (func (export "work") (param $nodes i32) (result i32)
    (global.set $list (call $node (i32.const 0) (i32.const 0) (i32.const 1)))
    (call $interrupt (local.get $nodes))
    (global.get $list))

  ;; The handler: puts nodes of key 1 in front of the list, until there are so many or it gets NULL. Returns how many.
  (func (export "handle") (param $nodes i32) (result i32)
    (local $got i32)
    (local $p i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $got) (local.get $nodes)))
        (local.set $p (call $node (global.get $list) (i32.const 0) (i32.const 1)))
        (br_if $done (i32.eqz (local.get $p)))
        (global.set $list (local.get $p))
        (local.set $got (i32.add (local.get $got) (i32.const 1)))
        (br $next)))
    (local.get $got)))
`;

/** Where the heap begins. A C compiler's __heap_base, rounded up to 8, would do. */
const HEAP_START = 65_536;
const MEMORY_PAGES = 256;

/** What the module exports. Its pointers are addresses. */
export interface Trees {
  build(levels: number, key: number): number;
  sum(p: number): number;
  drop(p: number): void;
  work(nodes: number): number;
  handle(nodes: number): number;
}

/** Memory for the module, and a heap in all of it but the module's own part. (Were it to grow, the heap would not.) */
export function createHeap(maxCpus: number) {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES, shared: true });
  const heap = SharedHeap.create({ memory, byteOffset: HEAP_START, maxCpus });
  return { memory, heap };
}

export async function compile(): Promise<WebAssembly.Module> {
  const { parseWat } = await wabt();
  const { buffer } = parseWat("trees.wat", TEXT, { threads: true }).toBinary({});
  return new WebAssembly.Module(buffer);
}

/** The module on this thread. `interrupt` is what it calls in the middle of `work`. */
export function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  heap: SharedHeap,
  interrupt: (nodes: number) => void = () => {},
): Trees {
  const env = {
    memory,
    // an i32 comes as a signed number
    malloc: (bytes: number) => addressOf(heap.malloc(bytes >>> 0)),
    free: (address: number) => heap.free(offsetOf(address >>> 0)),
    interrupt,
  };
  return new WebAssembly.Instance(module, { env }).exports as unknown as Trees;
}

export function addressOf(offset: number): number {
  return offset === 0 ? 0 : HEAP_START + offset;
}

export function offsetOf(address: number): number {
  return address === 0 ? 0 : address - HEAP_START;
}
