/**
 * The arena: the heap's buffer, its header, and the directory of names.
 *
 *     word 0        NULL: the link and depth of "no object" are words 0 and 1, and stay 0
 *     2 ..          header, written once before MAGIC is, read by everybody
 *     DIRECTORY     maxNames pointers to records, filled from the front, never emptied
 *     records       maxNames records of RECORD_WORDS
 *     ...           tables of the layers above, in the order in which they reserve them
 *     pages         what the page allocator hands out, to the end
 *
 * Where each table lies follows from the header's four sizes alone, so it is computed by every
 * thread alike and stored nowhere.
 */

/** Always 0: the link of NULL. */
export const NULL_LINK = 0;
/** Always 0: an empty free list has depth words[NULL + 1]. */
export const NULL_DEPTH = 1;
/** "shHP". Written last by the creator; a buffer without it is not a heap. Positive. */
export const MAGIC = 2;
/** Version of this layout. Writer: creator. */
export const VERSION = 3;
/** Length of the heap in words, a multiple of PAGE_WORDS. Writer: creator. */
export const SIZE_WORDS = 4;
/** Possible CPUs. Writer: creator. */
export const MAX_CPUS = 5;
/** Words of one CPU's area, a power of two. Writer: creator. */
export const PERCPU_WORDS = 6;
/** Capacity of the directory. Writer: creator. */
export const MAX_NAMES = 7;
/** Records reserved so far (some may be lost races that never got published). Atomic, any CPU. */
export const RECORDS_USED = 8;
/** Words of each per-CPU area handed out so far. Atomic, any CPU. */
export const PERCPU_USED = 9;

/** FLAG_*. Writer: creator. */
export const FLAGS = 10;
/** The end of a tasks-trace grace period is the end of an RCU one too. */
export const FLAG_TRACE_IMPLIES_RCU = 1;
/** kmallocNolock gives nothing in hardirq and NMI contexts. */
export const FLAG_REALTIME = 2;
/** Objects have zones and records around them, and a quarantine: see src/debug. */
export const FLAG_DEBUG = 4;

/** A mixture of the words from VERSION to MAX_NAMES and FLAGS: if it is another one, one of these was overwritten. Writer: creator. */
export const HEADER_CHECK = 11;
/** Two random words: tell this heap from all others. Writer: creator. */
export const HEAP_ID = 12;

export const MAGIC_VALUE = 0x73684850;
export const VERSION_VALUE = 9;

/** 4 KiB. */
export const PAGE_WORDS = 1024;
export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;
/** The first page is the header's: no offset below its end is ever handed out. */
export const HEADER_WORDS = 1024;

/** What kmalloc(0) and alloc(0) return: a non-NULL offset that every free accepts and ignores. Lies in the header. */
export const ZERO_SIZE_PTR = 16;

/** Words of a name: its length, then its characters, four a word. */
export const NAME_WORDS = 8;
export const NAME_MAX_CHARS = 28;

/** Words of a directory record. */
export const RECORD_WORDS = 48;
/** What the record describes: KIND_*. Writer: creator, before publication. */
export const RECORD_KIND = 0;
/** Its name. Writer: creator, before publication. */
export const RECORD_NAME = 1;
/** Of records that come and go (records.ts): generation << PHASE_SHIFT | PHASE_*. CAS, any CPU. */
export const RECORD_STATE = 9;
/** From here on, a line of its own, the words belong to the layer that made the record. */
export const RECORD_DATA = 16;

export const KIND_ROOT = 1;
export const KIND_ALLOCATOR = 2;
export const KIND_KMEM_CACHE = 3;
export const KIND_DESTRUCTOR = 4;
export const KIND_MEMCG = 5;

export const PHASE_SHIFT = 3;
export const PHASE_MASK = 7;
/** Nobody's; may be used again. */
export const PHASE_FREE = 0;
/** Being written by one CPU. */
export const PHASE_FILLING = 1;
/** Written, and not known to be the only one of its name yet. */
export const PHASE_PENDING = 2;
export const PHASE_LIVE = 3;
/** Ended: what belongs to it comes home. */
export const PHASE_DRAINING = 4;
/** All has: one CPU clears its words. */
export const PHASE_RELEASING = 5;
/** Another one of its name was there first. Its maker sees that, and nobody else changes it. */
export const PHASE_REFUSED = 6;

/** Words of the whole heap, for each kind of such records. */
/** The one that is being installed (index + 1 and generation), or 0. CAS, any CPU. */
export const INSTALLING = 0;
/** How many are going away, or are about to. Atomic, any CPU. */
export const DRAINING = 1;
export const RECORDS_WORDS = 16;

/** A root's value. Atomic, any CPU. */
export const ROOT_VALUE = RECORD_DATA;
