/**
 * Memory: pages and their descriptors, slab caches, and each CPU's part of a slab cache.
 *
 * Page descriptor (DESC_WORDS per 4 KiB page):
 *     0 USE     kind | count << 2
 *     1 CACHE   slab: its cache
 *     2 STATE   slab: first free object, objects in use, frozen
 *     3 NEXT    slab: link in the cache's lists
 */

/** log2 of the words of a descriptor. */
export const DESC_SHIFT = 2;
export const DESC_WORDS = 4;
/** kind | count << USE_COUNT_SHIFT. Writer: whoever holds the pages; set last, cleared first. Atomic, but for slabPageOfOwn. */
export const DESC_USE = 0;
/** Address of the slab's cache. Writer: who made the slab, before USE; atomic, as walkSlabs looks at any time. */
export const DESC_CACHE = 1;
/** The slab's state word, see slab-state.ts. CAS, any CPU. */
export const DESC_STATE = 2;
/** Link of the slab in PARTIAL, SWEEP or a queue of callbacks. Owned by the list, or by who took the slab off it. */
export const DESC_NEXT = 3;

export const USE_KIND_MASK = 3;
export const USE_COUNT_SHIFT = 2;
/** Nothing here, or the inside of a large block. */
export const USE_NONE = 0;
/** First page of a slab; count = its pages. */
export const USE_SLAB = 1;
/** Later page of a slab; count = distance to the first. */
export const USE_SLAB_TAIL = 2;
/** First page of a large block; count = its pages. */
export const USE_LARGE = 3;

/** Pages of the page allocator's three levels: 1, 32 and 1,024. */
export const LEVELS = 3;
export const LEVEL_SHIFT = 5;
/** Words of a CPU's area: where its searches begin, for each level but the last. Private. */
export const HINT_WORDS = 2;
/** Words a search looks at before it splits a bigger block instead. */
export const SEARCH_WORDS = 64;
/** Tries of one word's CAS before the next word is tried. */
export const CLAIM_TRIES = 8;
/** Largest block: 32 blocks of 1,024 pages, 128 MiB. */
export const MAX_BLOCK_PAGES = 32768;

/** Shared counters of the page allocator, a line of their own. Atomic, any CPU. */
export const PAGES_HELD = 0;
export const PAGES_PEAK = 1;
export const PAGES_COUNTER_WORDS = 16;

/** Slab cache, shared by all CPUs. */
export const CACHE_UNIT_WORDS = 0;
/** Objects of a slab. */
export const CACHE_OBJECTS = 1;
/** Pages of a slab. */
export const CACHE_PAGES = 2;
/** Offset of the cache's words in each CPU's area. */
export const CACHE_PERCPU = 3;
/** Where in a free object its link is: 0, or behind what a constructor wrote or a reader may look at. */
export const CACHE_LINK = 4;
/** Bytes asked for, without link and padding. */
export const CACHE_SIZE_BYTES = 5;
/** Flags: FLAG_*. */
export const CACHE_FLAGS = 6;
/** Alignment asked for. The words up to here: writer creator, before publication. */
export const CACHE_ALIGN_BYTES = 7;
/** Slabs have at most this many pages. */
export const MAX_SLAB_PAGES = 8;
/** llist of slabs with free objects. Any CPU pushes; taken whole by the holder of TAKER. Own line. */
export const CACHE_PARTIAL = 16;
/** List of slabs taken from PARTIAL. Only the holder of TAKER touches it. */
export const CACHE_SWEEP = 17;
/** Taker word of PARTIAL and SWEEP. */
export const CACHE_TAKER = 18;
/** Slabs that exist. Atomic. */
export const CACHE_SLABS = 19;
export const CACHE_WORDS = 32;

/** The cache's slabs are filled by a constructor. */
export const FLAG_CONSTRUCTOR = 1;
/** Pages of the cache's slabs are given back after an RCU grace period. */
export const FLAG_TYPESAFE_BY_RCU = 2;

/** Each slab has a part for each possible CPU; objects are those of the first one. */
export const FLAG_PERCPU = 4;
/** Objects have the header of an allocator: kfree does not take them. */
export const FLAG_HEADERS = 8;
/** Which word of such a header is negative while the object is out. 0 in those of a new slab. */
export const HEADER_CHECK = 1;
/** Bytes of a CPU's part of such a slab. */
export const PERCPU_STRIDE_BYTES = 8192;
export const PERCPU_STRIDE_WORDS = 2048;
/** Largest slot that a program can ask for. */
export const PERCPU_MAX_BYTES = 4096;

/** Kind of callback, behind those of memalloc: an empty slab, named by its NEXT word, whose pages are given back. */
export const KIND_SLAB = 4;

/** A CPU's part of a slab cache; private to the owner, all but REFILLS. */
/** First object of the private free list of the current slab, or 0. */
export const SLAB_CPU_FREE_LIST = 0;
/** Page number of the current slab, or 0. */
export const SLAB_CPU_PAGE = 1;
/** Local lock: 1 while the two words above are in the middle of a change. */
export const SLAB_CPU_LOCK = 2;
/** How often FREE_LIST was refilled. Writer: owner, published atomically. */
export const SLAB_CPU_REFILLS = 3;
export const SLAB_CPU_WORDS = 4;

/** State word of a slab: frozen | inUse << STATE_IN_USE_SHIFT | first << STATE_FIRST_SHIFT, first = index + 1 or 0. */
export const STATE_FROZEN = 1;
export const STATE_IN_USE_SHIFT = 1;
export const STATE_FIRST_SHIFT = 15;
export const STATE_FIELD_MASK = 0x3fff;
/** Most objects a slab can have. */
export const MAX_OBJECTS = 16383;

/** Largest size served by kmalloc from a slab. */
export const KMALLOC_MAX_SLAB_BYTES = 8192;
/** A free that empties a slab looks at this many slabs of the cache's lists. */
export const SWEEP_SLABS = 4;
/** Slabs looked at under one claim of a taker word. */
export const SWEEP_PIECE = 16;
/** Slabs that a CPU out of pages looks at in each cache. */
export const SHRINK_SLABS = 64;
/** Tries for a taker word before the work is done without. */
export const TAKER_TRIES = 16;

/** kmalloc flag: the memory is zeroed. */
export const GFP_ZERO = 1;
/** allocFlags: may go to slab at once. kmalloc always does. */
export const GFP_KERNEL = 2;
/** kmallocNolock: the memory is charged to the caller's group. Threads are in no group, allocators are: accepted, and without effect. */
export const GFP_ACCOUNT = 4;

/**
 * A group (memcg): words of its directory record, the hot ones on a line of their own. Charges are counted in units
 * of 8 bytes, of which every slab size is a multiple: those of 4 GiB fit a word.
 */
export const UNIT_BYTES = 8;
/** The parent's record, or 0. Writer: creator, before publication. */
export const MEMCG_PARENT = 16;
/** Most units that may be charged: NO_MAX, or fewer. Atomic, any CPU. */
export const MEMCG_MAX = 17;
/** Allocators and children, each from before it is made until it is gone. Atomic, any CPU. */
export const MEMCG_REFS = 18;
/** Units of objects that were out when their allocator ended: they never come back. Atomic, any CPU. */
export const MEMCG_LOST = 19;
/** Units charged: to objects held from slab by the allocators of this group and those below, and in stocks. CAS and add, any CPU. */
export const MEMCG_CURRENT = 32;
/** The most that CURRENT has been. CAS, any CPU. */
export const MEMCG_PEAK = 33;
/** How often a charge did not fit below MAX, and how often NULL was returned for that. Atomic, any CPU. */
export const MEMCG_MAX_HITS = 34;
export const MEMCG_FAILURES = 35;

export const NO_MAX = 0x7fffffff;

/** A CPU's stock of one group's charges; private to the owner. */
/** Local lock: 1 while the words below are in the middle of a change. */
export const STOCK_LOCK = 0;
/** The group's record. Means something only while there are units. */
export const STOCK_GROUP = 1;
/** Units that are charged to the group and its ancestors already, and held by no object. */
export const STOCK_UNITS = 2;
export const STOCK_WORDS = 3;
/** Units of a refill: 4 KiB. A stock has at most twice as many. */
export const STOCK_BATCH = 512;
