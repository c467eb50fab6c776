// `npm run example:audio`: serves the example page until it is stopped. An argument is the port.

import { serve } from "./server.ts";

const FOLDER = "docs/examples/audioworklet";
const DEFAULT_PORT = 8080;

async function main([port = String(DEFAULT_PORT)]: string[]): Promise<void> {
  const { origin } = await serve(process.cwd(), ["dist", FOLDER], Number(port));
  console.log(`open ${origin}/${FOLDER}/ in a browser; Ctrl-C ends this`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(`${error.message}\nchoose another port: npm run example:audio -- 8081`);
  process.exitCode = 1;
});
