/**
 * The Chromium that npm installed: the package holds it compressed, with the libraries that a bare system lacks.
 * It is unpacked once, into a folder of this build that is named for its version.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What to start, and what it needs in its environment. */
export interface Program {
  readonly path: string;
  readonly env: Record<string, string>;
}

const PACKAGE = "node_modules/@sparticuz/chromium";
const UNPACK = `import("@sparticuz/chromium").then(({ default: chromium }) => chromium.executablePath());`;

/** Throws if the package is not there, or has nothing for this system. */
export function installedChromium(root: string): Program {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`${PACKAGE} has no program for ${process.platform} ${process.arch}`);
  }
  const { version } = JSON.parse(readFileSync(join(root, PACKAGE, "package.json"), "utf8"));
  const folder = join(root, "build/chromium", version);
  if (!existsSync(folder)) unpack(root, folder);
  const libraries = [join(folder, "al2023/lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return { path: join(folder, "chromium"), env: { LD_LIBRARY_PATH: libraries } };
}

/**
 * The package unpacks into the folder for temporary files, and takes whatever has the right name there: so it gets a
 * folder of its own. Several test files may do this at once; the first one's folder stays.
 */
function unpack(root: string, folder: string): void {
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  // the second variable is how one asks for the libraries
  const env = { ...process.env, TMPDIR: partial, AWS_LAMBDA_JS_RUNTIME: "nodejs22.x" };
  try {
    execFileSync(process.execPath, ["--input-type=module", "--eval", UNPACK], { cwd: root, env });
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
