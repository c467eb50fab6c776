/** Threads that end without a word, in a browser: who is watched, and who is reaped. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { serve } from "../../tools/serve/server.ts";
import { unexplained } from "../torture/kill/transit.ts";
import { openBrowser, troubleOf } from "./browser.ts";

const FOLDER = "test/browser";
const DEATHS = 100;
const SEED = Number(process.env.TORTURE_SEED ?? Math.floor(Math.random() * 2 ** 30));

/** What the page offers. */
interface Deaths {
  readonly deaths: Record<string, () => Promise<void>>;
  readonly torture: (options: { deaths: number; seed: number }) => Promise<Tortured>;
}

interface Tortured {
  readonly failures: string[];
  readonly problems: string[];
  readonly reaped: number;
  readonly lost: number;
  readonly calls: number;
  readonly survivorCalls: number;
  readonly inherited: number;
}

const browser = await openBrowser();
// what it was sent it may keep: a hundred threads load the library
const site = await serve(process.cwd(), ["dist", FOLDER, "build/test"], 0, 600);
after(async () => {
  await browser?.close();
  await site.close();
});

if (browser === undefined) {
  test("in a browser", { skip: "there is no browser: see the message on stderr" });
} else {
  const page = await browser.newPage();
  const trouble = troubleOf(page);
  await page.goto(`${site.origin}/${FOLDER}/deaths.html`);
  const names = await page.evaluate(() => Object.keys((globalThis as unknown as Deaths).deaths));

  for (const name of names) {
    test(name, { timeout: 120_000 }, () =>
      page.evaluate((name) => (globalThis as unknown as Deaths).deaths[name](), name),
    );
  }

  test(`${DEATHS} threads die under load: the others go on`, { timeout: 300_000 }, async (t) => {
    t.diagnostic(`TORTURE_SEED=${SEED}`);
    const options = { deaths: DEATHS, seed: SEED };
    const result = await page.evaluate(
      (options) => (globalThis as unknown as Deaths).torture(options),
      options,
    );
    t.diagnostic(JSON.stringify(result));
    assert.deepEqual([result.failures, unexplained(result.problems)], [[], []]);
    assert.deepEqual([result.reaped, result.lost], [DEATHS, 0]);
    assert.ok(result.inherited > DEATHS);
  });
  test("the page had no other errors", () => assert.deepEqual(trouble, []));
}
