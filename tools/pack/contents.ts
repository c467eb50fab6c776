// Which files are in the package.

const ALLOWED = /^(dist\/.+\.(js|js\.map|d\.ts)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
const NEEDED = [
  "README.md",
  "LICENSE",
  "package.json",
  "dist/index.js",
  "dist/index.d.ts",
  "dist/cli/main.js",
];

export function checkContents(files: string[]): string[] {
  const extra = files.filter((file) => !ALLOWED.test(file));
  const missing = NEEDED.filter((file) => !files.includes(file));
  return [
    ...extra.map((file) => `${file} must not be in the package; see "files" in package.json`),
    ...missing.map((file) => `${file} is not in the package`),
  ];
}
