// The page of docs/examples/audioworklet, used as a visitor would: start, play, add load, stop.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { serve } from "../../tools/serve/server.ts";
import { openBrowser, troubleOf } from "./browser.ts";

const FOLDER = "docs/examples/audioworklet";

const browser = await openBrowser();
const site = await serve(process.cwd(), ["dist", FOLDER]);
after(async () => {
  await browser?.close();
  await site.close();
});

/** Waits until the line under the keys reads like that. */
async function shows(page: Page, text: RegExp): Promise<void> {
  await page.locator("#figures").filter({ hasText: text }).waitFor();
}

async function visit(browser: Browser): Promise<void> {
  const page = await browser.newPage();
  const trouble = troubleOf(page);
  await page.goto(`${site.origin}/${FOLDER}/`);
  await page.click("#start");
  await page.click("#load");
  await page.keyboard.down("a");
  await shows(page, /[1-9]\d* voices sound; [1-9]\d* were allocated, 0 times in vain/);
  await page.keyboard.up("a");
  await page.click("#stop");
  await shows(page, /stopped; .*"note":0/);
  assert.doesNotMatch((await page.textContent("#figures")) ?? "", /:[1-9]/, "objects are out");
  assert.deepEqual(trouble, []);
}

if (browser === undefined) {
  test("the example's page", { skip: "there is no browser: see the message on stderr" });
} else {
  test("the example's page plays, and everything is back when it stops", () => visit(browser));
}
