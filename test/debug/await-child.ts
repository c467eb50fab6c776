/** An RCU section that is open across an await: the turn that finds it throws. */
import { SharedHeap } from "sharedheap";

const heap = SharedHeap.create({ bytes: 2 ** 20, maxCpus: 1, debug: true });
heap.rcu.readLock();
// something waits for it, so there are turns
void heap.rcu.synchronize();
await new Promise((resolve) => setTimeout(resolve, 2000));
console.error("nobody told");
