/**
 * Why a line has to come from another CPU: for the sake of the word that is accessed, or of another one that lies in the
 * same line. Times are counts of accesses.
 */
export class Causes {
  private readonly cpus: number;
  private readonly lineShift: number;
  private now = 0;
  /** Line and CPU -> when that CPU last accessed the line, and when it last wrote to it. */
  private readonly accessed: Uint32Array;
  private readonly wrote: Uint32Array;
  /** Word -> 1 + the CPU that wrote to it last, and when. */
  private readonly writer: Uint8Array;
  private readonly written: Uint32Array;
  /** Word -> 1 + the CPU that accessed it last, and when; and when another CPU than that one did. */
  private readonly toucher: Uint8Array;
  private readonly touched: Uint32Array;
  private readonly touchedBefore: Uint32Array;

  constructor(words: number, cpus: number, lineShift: number) {
    this.cpus = cpus;
    this.lineShift = lineShift;
    const lines = Math.ceil(words / (1 << lineShift));
    this.accessed = new Uint32Array(lines * cpus);
    this.wrote = new Uint32Array(lines * cpus);
    this.writer = new Uint8Array(words);
    this.written = new Uint32Array(words);
    this.toucher = new Uint8Array(words);
    this.touched = new Uint32Array(words);
    this.touchedBefore = new Uint32Array(words);
  }

  /**
   * True if the line would not have to come if this word lay in a line of its own. A read has to fetch what another CPU wrote
   * to the word since this one last had the line; a write has to wait for all who accessed the word since this one's last.
   */
  isApart(cpu: number, isWrite: boolean, word: number): boolean {
    const at = (word >>> this.lineShift) * this.cpus + cpu;
    if (!isWrite) return this.writer[word] === cpu + 1 || this.written[word] <= this.accessed[at];
    const others = this.toucher[word] === cpu + 1 ? this.touchedBefore[word] : this.touched[word];
    return others <= this.wrote[at];
  }

  /** The access takes place. */
  note(cpu: number, isWrite: boolean, word: number): void {
    const now = ++this.now;
    const at = (word >>> this.lineShift) * this.cpus + cpu;
    this.accessed[at] = now;
    if (this.toucher[word] !== cpu + 1) {
      this.touchedBefore[word] = this.touched[word];
      this.toucher[word] = cpu + 1;
    }
    this.touched[word] = now;
    if (!isWrite) return;
    this.wrote[at] = now;
    this.writer[word] = cpu + 1;
    this.written[word] = now;
  }
}
