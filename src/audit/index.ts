export { type AuditOptions, audit } from "./audit.ts";
export type { AuditBooks, AuditReport, InHand, PageRun } from "./report.ts";
