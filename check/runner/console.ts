/** What the runner prints: lines for people, unless a program reads along. */

export interface Output {
  /** Only one object, at the end. */
  readonly json: boolean;
}

export function say({ json }: Output, line: string): void {
  if (!json) console.log(line);
}

export function count(n: number): string {
  return n.toLocaleString("en");
}

/** A bar on the terminal's last line; nothing elsewhere. No name: takes it away. */
export function bar(name: string, share: number): void {
  if (!process.stderr.isTTY) return;
  const line =
    name === ""
      ? ""
      : `${name} ${"#".repeat(Math.round(share * 30)).padEnd(30, ".")} ${Math.round(share * 100)} %`;
  process.stderr.write(`\r\x1b[K${line}`);
}
