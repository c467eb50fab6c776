/** The library in a browser: the same scenarios on a page's main thread and in a module worker. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { serve } from "../../tools/serve/server.ts";
import { openBrowser, troubleOf } from "./browser.ts";

const FOLDER = "test/browser";

/** What the page offers. */
interface Scenarios {
  readonly names: string[];
  readonly places: Record<string, (name: string) => Promise<void>>;
}

const browser = await openBrowser();
const site = await serve(process.cwd(), ["dist", FOLDER]);
after(async () => {
  await browser?.close();
  await site.close();
});

if (browser === undefined) {
  test("in a browser", { skip: "there is no browser: see the message on stderr" });
} else {
  const page = await browser.newPage();
  const trouble = troubleOf(page);
  await page.goto(`${site.origin}/${FOLDER}/scenarios.html`);
  const names = await page.evaluate(() => (globalThis as unknown as Scenarios).names);

  for (const place of ["main thread", "module worker"]) {
    describe(`${place}, in ${browser.browserType().name()} ${browser.version()}`, () => {
      for (const name of names) {
        test(name, () =>
          page.evaluate(
            ([place, name]) => (globalThis as unknown as Scenarios).places[place](name),
            [place, name],
          ),
        );
      }
    });
  }
  test("the page had no other errors", () => assert.deepEqual(trouble, []));
}
