// The finder of browsers when there is none to find. When there is one, the other tests here show it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser, type Place } from "./browser.ts";

const NOTHING: Place = { name: "an empty place", look: () => undefined };
const BROKEN: Place = { name: "no browser", look: () => ({ path: process.execPath, env: {} }) };
const GONE: Place = { name: "a wrong path", look: () => ({ path: "no/such/browser", env: {} }) };

test("without a browser it says at length what was looked for, and what helps", async (t) => {
  const { mock } = t.mock.method(console, "error", () => {});
  assert.equal(await openBrowser([NOTHING, BROKEN, GONE]), undefined);
  const message = String(mock.calls.at(-1)?.arguments[0]);
  assert.ok(message.split("\n").length > 8);
  assert.match(message, /NO BROWSER.*do not run/);
  assert.match(message, /an empty place: nothing there/);
  assert.match(message, /no browser: .+/);
  assert.match(message, /a wrong path: .+/);
  assert.match(message, /CHROME_PATH/);
});
