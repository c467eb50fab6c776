// The server of pages that share memory: what it sends with a file, and what it does not send.

import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { type Site, serve } from "../../tools/serve/server.ts";

async function withSite(call: (site: Site) => Promise<void>): Promise<void> {
  const site = await serve(process.cwd(), ["dist", "docs/examples"]);
  try {
    await call(site);
  } finally {
    await site.close();
  }
}

/** Asks for exactly that path; fetch would resolve the dots in it. */
function statusOf({ origin }: Site, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(origin, { path }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
}

test("a file comes with its type and with what isolates the page", () =>
  withSite(async ({ origin }) => {
    const { status, headers } = await fetch(`${origin}/dist/index.js`);
    assert.equal(status, 200);
    assert.match(headers.get("Content-Type") ?? "", /^text\/javascript/);
    assert.equal(headers.get("Cross-Origin-Opener-Policy"), "same-origin");
    assert.equal(headers.get("Cross-Origin-Embedder-Policy"), "require-corp");
  }));

test("nothing else is served", () =>
  withSite(async (site) => {
    const paths = [
      "/package.json",
      "/dist/../package.json",
      "/dist/%2e%2e/package.json",
      "/dist/..%2fpackage.json",
    ];
    for (const path of [...paths, "/dist/none.js", "/distant/index.js", "/", "//", "/%"]) {
      assert.equal(await statusOf(site, path), 404, path);
    }
  }));
