/**
 * The allocator: object headers, the cache (one bucket on one CPU), the descriptor of an allocator.
 *
 * An object is a header of two words and a payload:
 *
 *                allocated                          on a list
 *     word 0     address of its home cache          link: the next object, or 0
 *     word 1     check word, negative               depth, > 0; but of a chain that travels, the first
 *                                                   object has the link to the next chain there, the
 *                                                   second one the chain's home
 *     2 ...      payload                            what it last held
 *
 * The check word mixes the object's address, its home and the allocator's key, so one comparison
 * tells a live object of this allocator from everything else.
 *
 * A chain of one object has its home in word 0, as ~home: links are never negative.
 *
 * An object of an owned cache has two words more in front of what the program sees, which are only accessed
 * atomically: others look at them at any time. (See owner.ts.)
 *
 *     word 2     OWNER      claim of the CPU that allocated it; 0 from its free until it is handed out again
 *     word 3     TAG        which allocator gave it out; means something while there is an OWNER
 *     4 ...      payload
 *
 * `depth` is the length of the list from this object on. So its length is known from its first object, no
 * counter can be wrong, and a list that is damaged into a loop shows. Of a chain it is known from the third.
 */

export const HEADER_WORDS = 2;
export const HEADER_BYTES = 8;
/** Word 0: home cache, or link. */
export const OBJECT_HOME = 0;
/** Word 1: check word, depth, or link of chains. */
export const OBJECT_CHECK = 1;

/** Of an object of an owned cache: the claim (CPU, generation) of who allocated it, or 0. CAS from there on; any CPU. */
export const OBJECT_OWNER = 2;
/** Its payload's offset mixed with the allocator's key. Writer: who allocates it, before OWNER; any CPU reads: atomic. */
export const OBJECT_TAG = 3;
/** What these two take. */
export const OWNED_WORDS = 2;
export const OWNED_BYTES = 8;

/** First object ready to hand out, or 0. Private to the owner, changed only while HAND says so. */
export const FREE_LIST = 0;
/**
 * Who is in the middle of changing FREE_LIST, SPARE or RCU_BATCH, and with which object in hand: HAND_IDLE,
 * HAND_BUSY, HAND_CLOSED, the object being popped, the object being pushed + HAND_PUSH, or the object being
 * put into the batch + HAND_RCU. Private to the owner. Not idle = busy: a nested call leaves these lists alone.
 * Should the owner die, the object goes where it was to go: see Caches.settle. (Chains are HAND_BUSY.)
 */
export const HAND = 1;
/** Below this depth of the free list the cache is refilled: USUAL_LOW, less what the spare has. Private. */
export const LOW = 2;
/** At this depth the free list is full: the high watermark less a batch, or what is reserved. Private. */
export const HIGH = 3;
/** Objects of a refill, and of a chain. Writer: owner, when it opens the cache. */
export const BATCH = 4;
/** Words of an object, header included. Writer: as BATCH; never changes. */
export const UNIT_WORDS = 5;
/** Chains that this CPU has sent to this cache's home on any CPU since it last sent some on. Private. */
export const LANDED = 6;
/** The allocator's key, negative. Writer: as UNIT_WORDS. */
export const KEY = 7;
/** Where a trim sends the spare: the home of the object whose free found it a full list. Private. */
export const TGT = 8;
/** Objects freed while the cache was busy: an llist of chains of one. Owner at any depth: atomic. */
export const FREE_LIST_EXTRA = 9;
/** irq_work item: extras, refill, callbacks. 2 words. */
export const WORK = 10;
/**
 * A list that is set aside, or 0: up to a batch of objects, which are the free list when that is empty. (A full magazine, in
 * Bonwick's word.) Private, changed only while HAND says so. The same as FREE_LIST: who was moving it died.
 */
export const SPARE = 12;
/** Objects freed with freeRcu, fewer than a chain; a list as FREE_LIST is. Private, changed only while HAND says so. */
export const RCU_BATCH = 13;
/** As FREE_LIST_EXTRA, for freeRcu. */
export const RCU_BATCH_EXTRA = 14;
/** Home of the batch's first object: where its chain will go. Private. */
export const RCU_TGT = 15;

/** llist of chains of freed objects whose home is this CPU: waiting to be reused or for a tasks-trace grace period. Any CPU pushes. */
export const FREE_BY_RCU_TTRACE = 16;
/** Taker word of FREE_BY_RCU_TTRACE. */
export const TAKER = 17;
/** 1 while the owner has the cache open: objects sent home may wait there. Writer: owner; anyone reads: atomic. */
export const OPEN = 18;
/**
 * Callback: a look at the chains that wait here, which are to start their tasks-trace grace period unless refills use them.
 * Its link; and while it is given, the newest chain that the last look left, or another number that is not 0.
 */
export const ROUND = 19;
export const ROUND_PENDING = 20;
/** Chains whose home this is, from when they are made until they are reused or back in slab. Atomic, any CPU. */
export const CHAINS = 21;
/**
 * How often the cache was refilled and trimmed; objects it took from slab less those it gave back. Writer: owner, at any
 * depth: atomic, or plain while HAND is set. For statistics, but for TAKEN, which is always atomic.
 */
export const REFILLS = 22;
export const TRIMS = 23;
export const TAKEN = 24;
/** Work of the end of a turn: the batch becomes a chain although it is not full. 2 words, as WORK. */
export const TURN = 25;
/** The low watermark: fewer objects than that, the spare's included, and the cache is refilled. Writer: as BATCH. */
export const USUAL_LOW = 27;
/** The allocator's record: it says the destructor and the group. Writer: as UNIT_WORDS. */
export const OWNER = 28;
/** In an allocator's first cache: 1 while the owner may still touch any of its caches. Writer: owner; anyone reads: atomic. */
export const PIN = 29;
/** The slab cache that objects come from. Writer: as UNIT_WORDS. Who gives a home's objects back to slab reads it. */
export const SLAB_CACHE = 30;
/** INBOX_EMPTY, INBOX_WANTED, or a chain that a helper got for the owner: its link. CAS. */
export const INBOX = 31;
/** Two lines: the owner's, and the one that others write to. */
export const CACHE_WORDS = 32;

export const INBOX_EMPTY = 0;
export const INBOX_WANTED = -1;

export const HAND_IDLE = 0;
/** A call is under way and has nothing in hand. */
export const HAND_BUSY = -1;
/** The owner has given the cache up. */
export const HAND_CLOSED = -2;
/** Added to an object being pushed; objects are at even addresses. */
export const HAND_PUSH = 1;
/** Added to an object being put into the RCU batch; addresses are below it. */
export const HAND_RCU = 1 << 30;

/** Set in every check word and key. */
export const CHECK_SIGN = -0x80000000;

/** Descriptor of an allocator: words of its directory record behind RECORD_DATA. Writer: creator, before publication. */
/** Payload bytes of a fixed-size allocator, 0 for any size. */
export const ALLOC_SIZE = 16;
/** Offset of its first cache in each CPU's area. */
export const ALLOC_PERCPU = 17;
/** Its key. */
export const ALLOC_KEY = 18;
/** The record of its destructor, or 0. */
export const ALLOC_DTOR = 19;
/** The record of its group, or 0. */
export const ALLOC_MEMCG = 20;
/** ALLOC_IS_PERCPU, ALLOC_IS_OWNED, or 0. */
export const ALLOC_FLAGS = 21;
export const ALLOC_IS_PERCPU = 1;
/** Its objects name who allocated them. */
export const ALLOC_IS_OWNED = 2;
/**
 * 0, and then once: OPEN_FOR_OTHERS, another call than the one that made it has opened it; or OPEN_REFUSED, its maker got
 * no first objects for it, and it goes. CAS, any CPU.
 */
export const ALLOC_OPEN = 22;
export const OPEN_FOR_OTHERS = 1;
export const OPEN_REFUSED = 2;

/** Buckets of an any-size allocator. */
export const BUCKETS = 11;
/** Largest payload of an any-size allocator. */
export const MAX_PAYLOAD = 4088;
/** Largest payload of a fixed-size one. */
export const MAX_FIXED_PAYLOAD = 8184;
/** Largest payload of an owned one. */
export const MAX_OWNED_PAYLOAD = 8176;
/** Largest payload on each CPU of a per-CPU one. */
export const MAX_PERCPU_PAYLOAD = 4096;

/** Most objects that a reserve may ask for. */
export const MAX_RESERVE = 65535;

/** Kinds of callbacks, in the order in which a freed chain goes through them. */
/** A chain of freeRcu: after an RCU grace period. */
export const KIND_RCU = 0;
/** A home whose chains are to go on: at a turn or poll. */
export const KIND_ROUND = 1;
/** A chain on its way to slab: after a tasks-trace grace period. */
export const KIND_TRACE = 2;
/** The same, after an RCU grace period too, where tasks trace does not imply one. */
export const KIND_LAST = 3;

/** Pages whose slabs a scan for owned objects looks at in one read section. */
export const SCAN_PAGES = 64;

/** Chains that stay at their home for its refills while newer ones come. */
export const KEEP_CHAINS = 8;
/** Callbacks that one piece of work runs: more than the one chain that it may have made. */
export const RUN_CHAINS = 2;
/** Chains of a home that gather before its refills drive their grace period: one for all of them. */
export const GATHER_CHAINS = 8;
