// A static server for pages that share memory between threads: browsers give SharedArrayBuffer only to pages that
// are isolated from other origins, which two headers ask for. On loopback only: what it serves is a work tree.

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, posix } from "node:path";

const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".map": "application/json",
  ".svg": "image/svg+xml",
};

export interface Site {
  /** Without a slash at its end. */
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves those folders of `root`, each under its own path, and nothing else. Port 0: any that is free. `maxAge`: for how many
 * seconds a browser may keep what it was sent.
 */
export async function serve(root: string, folders: readonly string[], port = 0, maxAge = 0): Promise<Site> {
  const server = createServer((request, response) => {
    const path = pathOf(request);
    if (folders.some((folder) => path.startsWith(`/${folder}/`)))
      void send(response, join(root, path), maxAge);
    else end(response, 404, `nothing is served at ${path}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${actual}`, close: () => close(server) };
}

/** What is asked for, with no ".." left in it. */
function pathOf({ url = "/" }: IncomingMessage): string {
  try {
    const path = posix.normalize(decodeURIComponent(new URL(url, "http://localhost").pathname));
    return path.endsWith("/") ? `${path}index.html` : path;
  } catch {
    return "/"; // not a URL, or half an escape
  }
}

async function send(response: ServerResponse, file: string, maxAge: number): Promise<void> {
  const type = TYPES[extname(file)];
  const body = type === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (body === undefined) return end(response, 404, "there is no such file");
  const keep = { "Cache-Control": maxAge === 0 ? "no-store" : `max-age=${maxAge}` };
  response.writeHead(200, { ...HEADERS, ...keep, "Content-Type": type }).end(body);
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}
