/** A progress bar on one line of a terminal; on anything else, nothing. */
import type { WriteStream } from "node:tty";
import { formatCount } from "./units.ts";

/** What a bar needs of a stream. */
export type BarStream = Pick<WriteStream, "write"> & { isTTY?: boolean; columns?: number };

const ERASE_LINE = "\r\u001b[K";
const WIDEST_BAR = 40;

export class ProgressBar {
  readonly #stream: BarStream;
  readonly #enabled: boolean;
  #drawn = false;

  constructor(stream: BarStream) {
    this.#stream = stream;
    this.#enabled = stream.isTTY === true && process.env.TERM !== "dumb";
  }

  /** Draws how much is done. */
  show(done: number, total: number): void {
    if (!this.#enabled) return;
    this.#stream.write(`\r${drawBar(done, total, this.#stream.columns ?? 80)}`);
    this.#drawn = true;
  }

  /** Leaves the line as if no bar had been there. */
  erase(): void {
    if (this.#drawn) this.#stream.write(ERASE_LINE);
    this.#drawn = false;
  }
}

/** The bar as text, shorter than `columns` so that the terminal doesn't wrap it. */
export function drawBar(done: number, total: number, columns: number): string {
  const share = total > 0 ? Math.min(done / total, 1) : 1;
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  const text = ` ${percent} %  ${formatCount(done)} of ${formatCount(total)} operations`;
  const width = Math.min(columns - text.length - 3, WIDEST_BAR);
  if (width < 4) return text.slice(0, Math.max(columns - 1, 0)).trim();
  const full = Math.floor(share * width);
  return `[${"=".repeat(full)}${" ".repeat(width - full)}]${text}`;
}
