/** The charts of a run. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LatencyResult } from "../latency/run.ts";
import { type ScaleResult, throughputOf } from "../parallel/scale.ts";
import { fileName, type Run } from "../results.ts";
import type { BoundedResult } from "../threads/bounded.ts";
import { type Chart, renderChart } from "./svg.ts";
import { whereOf } from "./tables.ts";

export interface Drawing {
  /** A file's name. */
  readonly name: string;
  readonly chart: Chart;
}

export function drawingsOf(run: Run): Drawing[] {
  const drawing = (what: string, chart: Chart): Drawing => ({ name: `${fileName(run)}-${what}.svg`, chart });
  const { scale, latency, bounded, machine } = run;
  const workloads = [...new Set(scale.map(({ workload }) => workload))];
  const drawings = workloads.map((name) => {
    const results = scale.filter(({ workload }) => workload === name);
    return drawing(`throughput-${name}`, throughputChart(name, results, machine.threads));
  });
  if (latency !== undefined) drawings.push(drawing("latency", latencyChart(latency)));
  if (bounded !== undefined) drawings.push(drawing("bounded", boundedChart(bounded)));
  return drawings.map(({ name, chart }) => ({
    name,
    chart: { ...chart, title: `${chart.title}; ${whereOf(run)}` },
  }));
}

export function writeDrawings(drawings: readonly Drawing[], folder: string): void {
  for (const { name, chart } of drawings) writeFileSync(join(folder, name), renderChart(chart));
}

function throughputChart(name: string, results: readonly ScaleResult[], processors: number): Chart {
  const counts = results.flatMap(({ points }) => points.map(({ threads }) => threads));
  const threads = [...new Set(counts)].sort((a, b) => a - b);
  const after = threads.findLastIndex((count) => count <= processors);
  const isWithin = after >= 0 && after < threads.length - 1;
  return {
    title: `${name}, throughput against threads`,
    xName: "threads",
    yName: "million operations a second",
    columns: threads.map(String),
    series: results.map(({ subject, points }) => ({
      name: subject,
      values: threads.map((count) => points.filter((point) => point.threads === count).map(throughputOf)[0]),
    })),
    ...(isWithin ? { border: { after, text: "more than processors" } } : {}),
  };
}

function latencyChart({ distributions, threads }: LatencyResult): Chart {
  const counts = distributions.map(({ histogram }) => histogram);
  const length = Math.max(...counts.map((each) => each.length));
  const first = Math.max(0, Math.min(...counts.map((each) => each.findIndex((count) => count > 0))));
  const octaves = Array.from({ length: length - first }, (_, i) => first + i);
  return {
    title: `alloc and free in an NMI context, ${threads} other threads`,
    xName: "nanoseconds, from",
    yName: "samples",
    isLogarithmic: true,
    columns: octaves.map((octave) => short(2 ** octave)),
    series: distributions.map(({ subject, histogram }) => ({
      name: subject,
      values: octaves.map((octave) => histogram[octave] || undefined),
    })),
  };
}

function boundedChart({ waiting, threads, subject }: BoundedResult): Chart {
  return {
    title: `bounded, ${threads} threads, ${subject}`,
    xName: "looks, one a second unless the run was short",
    yName: "MiB that wait for readers",
    columns: waiting.map((_, i) => String(i + 1)),
    series: [{ name: "waiting", values: waiting }],
  };
}

/** 2048 as 2k. */
function short(value: number): string {
  const units = ["", "k", "M", "G"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${value / 1024 ** unit}${units[unit]}`;
}
