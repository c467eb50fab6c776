// amaro has no declarations of its own.

declare module "amaro" {
  export function transformSync(code: string, options: { mode: "strip-only" }): { code: string };
}
