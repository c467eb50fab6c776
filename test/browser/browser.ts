/**
 * A browser for tests: the first one that is found and starts. Without one the tests are skipped, and say so where
 * nobody overlooks it.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { installedChromium, type Program } from "./installed.ts";

/** A place to look at: how it is called in messages, and what is there. */
export interface Place {
  readonly name: string;
  /** undefined: nothing. May throw. */
  readonly look: () => Program | undefined;
}

const ROOT = process.cwd();
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const ELSEWHERE = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

const PLACES: readonly Place[] = [
  { name: "CHROME_PATH", look: () => program(process.env.CHROME_PATH) },
  { name: `the system: ${NAMES.join(", ")}`, look: () => program(onSystem()) },
  { name: "the npm package @sparticuz/chromium", look: () => installedChromium(ROOT) },
];

function program(path: string | undefined): Program | undefined {
  return path ? { path, env: {} } : undefined;
}

function onSystem(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...ELSEWHERE].find(
    (path) => existsSync(path),
  );
}

/** Starts a browser; undefined, after a message, if there is none. */
export async function openBrowser(places: readonly Place[] = PLACES): Promise<Browser | undefined> {
  const failures: string[] = [];
  for (const { name, look } of places) {
    try {
      const found = look();
      if (found) return await start(found);
      failures.push(`${name}: nothing there`);
    } catch (error) {
      failures.push(`${name}: ${firstLines(error)}`);
      console.error(`browser: ${failures.at(-1)}; looking further`);
    }
  }
  console.error(advice(failures));
  return undefined;
}

/** No other arguments: those that servers without a display are said to need end the isolation of pages. */
function start({ path, env }: Program): Promise<Browser> {
  const inherited = process.env as Record<string, string>;
  return chromium.launch({ executablePath: path, args: ["--no-sandbox"], env: { ...inherited, ...env } });
}

function firstLines(error: unknown): string {
  const lines = String((error as Error).message ?? error).split("\n");
  const why = lines.find((line) => /error while loading|cannot open|No such file/.test(line));
  return [lines[0], why].filter((line) => line !== undefined).join(" ");
}

function advice(failures: readonly string[]): string {
  const bar = "!".repeat(100);
  return [
    "",
    bar,
    "!! NO BROWSER: the tests in test/browser do not run, so nothing says that this works in browsers.",
    "!! Looked for:",
    ...failures.map((failure) => `!!   ${failure}`),
    "!! What helps: set CHROME_PATH to a Chromium or Chrome, or install one, or `npm ci` on Linux x64;",
    "!! on Debian a missing library comes with `apt-get install libnss3 libnspr4 libexpat1`.",
    bar,
    "",
  ].join("\n");
}

/** What a page threw, or failed to load, while it was open. */
export function troubleOf(page: Page): string[] {
  const trouble: string[] = [];
  page.on("pageerror", (error) => trouble.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") trouble.push(message.text());
  });
  return trouble;
}
