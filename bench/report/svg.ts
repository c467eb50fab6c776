/** A line chart as SVG: columns with names, and for each series a value in some of them. */

export interface Series {
  readonly name: string;
  /** By column; undefined where there is none. */
  readonly values: readonly (number | undefined)[];
}

export interface Chart {
  readonly title: string;
  readonly xName: string;
  readonly yName: string;
  readonly columns: readonly string[];
  readonly series: readonly Series[];
  /** A step of the y axis is then a power of ten, and its lowest is 1. */
  readonly isLogarithmic?: boolean;
  /** A line between two columns, with what it says. */
  readonly border?: { readonly after: number; readonly text: string };
}

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 20;
const TOP = 60;
const BOTTOM = 60;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const MAX_NAMES = 20;
const LEGEND_STEP = 150;

/** Where things are. */
interface Scale {
  x(column: number): number;
  y(value: number): number;
  readonly ticks: readonly number[];
}

export function renderChart(chart: Chart): string {
  const scale = scaleOf(chart);
  const parts = [
    // what is read out instead
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(WIDTH / 2, 20, chart.title, "middle", 'font-size="12"'),
    ...axes(chart, scale),
    ...borderOf(chart, scale),
    ...chart.series.flatMap((series, i) => lineOf(series, i, scale)),
  ];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`;
  return `${[head, ...parts, "</svg>"].join("\n")}\n`;
}

function scaleOf({ columns, series, isLogarithmic }: Chart): Scale {
  const highest = Math.max(
    0,
    ...series.flatMap(({ values }) => values.filter((value) => value !== undefined)),
  );
  const ticks = isLogarithmic ? powersTo(highest) : stepsTo(highest);
  const top = ticks[ticks.length - 1];
  const share = (value: number) =>
    isLogarithmic ? Math.log10(Math.max(value, 1)) / Math.log10(top) : value / top;
  const step = (WIDTH - LEFT - RIGHT) / Math.max(columns.length, 1);
  return {
    x: (column) => round(LEFT + (column + 0.5) * step),
    y: (value) => round(HEIGHT - BOTTOM - share(value) * (HEIGHT - TOP - BOTTOM)),
    ticks,
  };
}

function powersTo(highest: number): number[] {
  const count = Math.max(1, Math.ceil(Math.log10(Math.max(highest, 1))));
  return Array.from({ length: count + 1 }, (_, power) => 10 ** power);
}

/** From 0 in steps of 1, 2 or 5 times a power of ten; at most ten of them. */
function stepsTo(highest: number): number[] {
  const least = Math.max(highest, 1e-6) / 10;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((each) => each * power >= least) ?? 10);
  return Array.from({ length: Math.ceil(highest / step) + 1 }, (_, i) =>
    Number((i * step).toPrecision(6)),
  ).concat(highest > 0 ? [] : [step]);
}

function axes({ xName, yName, columns }: Chart, { x, y, ticks }: Scale): string[] {
  const every = Math.ceil(columns.length / MAX_NAMES);
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  return [
    ...ticks.map((tick) => line(LEFT, y(tick), WIDTH - RIGHT, y(tick), "#dddddd")),
    ...ticks.map((tick) => text(LEFT - 6, y(tick) + 4, String(tick), "end")),
    ...columns.flatMap((name, i) =>
      i % every === 0 ? [text(x(i), HEIGHT - BOTTOM + 16, name, "middle")] : [],
    ),
    text(WIDTH / 2, HEIGHT - 16, xName, "middle"),
    text(16, middle, yName, "middle", `transform="rotate(-90 16 ${middle})"`),
  ];
}

function borderOf({ border }: Chart, { x }: Scale): string[] {
  if (border === undefined) return [];
  const at = (x(border.after) + x(border.after + 1)) / 2;
  return [
    line(at, TOP, at, HEIGHT - BOTTOM, "#888888", 'stroke-dasharray="4 3"'),
    text(at + 4, TOP + 10, border.text, "start"),
  ];
}

/** With gaps where there is no value. */
function lineOf({ name, values }: Series, index: number, { x, y }: Scale): string[] {
  const colour = COLOURS[index % COLOURS.length];
  const legend = LEFT + index * LEGEND_STEP;
  const points = values.map((value, column) => (value === undefined ? undefined : [x(column), y(value)]));
  const path = points.map((point, i) => {
    return point === undefined ? "" : `${points[i - 1] === undefined ? "M" : "L"}${point.join(" ")}`;
  });
  return [
    `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points
      .filter((point) => point !== undefined)
      .map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`),
    `<rect x="${legend}" y="34" width="10" height="10" fill="${colour}"/>`,
    text(legend + 15, 43, name, "start"),
  ];
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, more = ""): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" ${more}/>`;
}

function text(x: number, y: number, words: string, anchor: string, more = ""): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#222222" ${more}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
