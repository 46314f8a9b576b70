import { short } from './numbers.ts';

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A chart: lines over a scale of numbers, or bars over names. */
export interface Plot {
  /** What the file is called after the scenario; empty: nothing. */
  readonly key: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** What x 0, 1, 2, … stand for: makes it a chart of bars. */
  readonly names?: readonly string[];
  /** A bound to be seen, as a dashed line. */
  readonly bound?: number;
}

const width = 720;
const height = 360;
const frame = { left: 56, right: 24, top: 76, bottom: 52 };
const right = width - frame.right;
const bottom = height - frame.bottom;
const inner = { width: right - frame.left, height: bottom - frame.top };
const ink = { strong: '#0f172a', weak: '#64748b', grid: '#e2e8f0', bound: '#dc2626' };
const colours = ['#2563eb', '#94a3b8', '#f59e0b', '#10b981', '#8b5cf6', '#0891b2'];
const barMax = 64;
const dotsMax = 40;
/** A character of the sans serif that a reader happens to have, roughly, at 12 px. */
const charWidth = 6.8;

interface Scale {
  x(value: number): number;
  y(value: number): number;
  readonly xTicks: readonly (readonly [x: number, label: string])[];
  readonly yTicks: readonly number[];
}

/** The chart as one SVG file that needs nothing else. */
export function svgOf(plot: Plot): string {
  const scale = scaleOf(plot);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${ink.weak}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(24, 30, plot.title, `font-size="16" font-weight="600" fill="${ink.strong}"`),
    text(24, 54, plot.yLabel, ''),
    ...legend(plot),
    ...axes(plot, scale),
    ...(plot.names ? bars(plot, scale) : lines(plot, scale)),
    ...bound(plot, scale),
    '</svg>',
    '',
  ].join('\n');
}

function scaleOf({ series, names, bound = 0 }: Plot): Scale {
  const points = series.flatMap((each) => each.points);
  const yTicks = ticks(Math.max(bound, ...points.map(([, y]) => y), 1e-9) * 1.02, 5);
  const top = yTicks.at(-1) ?? 1;
  const xs = points.map(([x]) => x);
  const [low, high] = names
    ? [-0.5, names.length - 0.5]
    : [Math.min(...xs, 0), Math.max(...xs, 1e-9)];
  return {
    x: (x) => frame.left + ((x - low) / (high - low || 1)) * inner.width,
    y: (y) => bottom - (y / top) * inner.height,
    xTicks: names
      ? names.map((name, index) => [index, name])
      : xTicks(xs, high).map((x) => [x, grouped(x)]),
    yTicks,
  };
}

/** Few points are named each, many by a scale. */
function xTicks(xs: readonly number[], high: number): number[] {
  const own = [...new Set(xs)];
  return own.length <= 8 ? own : ticks(high, 8).filter((x) => x <= high);
}

/** From 0 in equal steps of 1, 2, 2.5 or 5 times a power of ten, about so many, up to `top` at least. */
function ticks(top: number, about: number): number[] {
  const rough = top / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(top / step) + 1 }, (_, index) => index * step);
}

function axes({ xLabel }: Plot, scale: Scale): string[] {
  return [
    ...scale.yTicks.flatMap((y) => [
      `<line x1="${frame.left}" x2="${right}" y1="${at2(scale.y(y))}" y2="${at2(scale.y(y))}" stroke="${y === 0 ? ink.weak : ink.grid}"/>`,
      text(frame.left - 8, scale.y(y) + 4, grouped(y), 'text-anchor="end"'),
    ]),
    ...scale.xTicks.map(([x, label]) =>
      text(scale.x(x), bottom + 18, label, 'text-anchor="middle"'),
    ),
    text(frame.left + inner.width / 2, bottom + 40, xLabel, 'text-anchor="middle"'),
  ];
}

function lines({ series }: Plot, scale: Scale): string[] {
  return series.flatMap(({ points }, index) => {
    const at = points.map(([x, y]) => [at2(scale.x(x)), at2(scale.y(y))] as const);
    const dots = at.length > dotsMax ? [] : at;
    return [
      `<polyline fill="none" stroke="${colour(index)}" stroke-width="2" stroke-linejoin="round" points="${at.map((point) => point.join(',')).join(' ')}"/>`,
      ...dots.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour(index)}"/>`),
    ];
  });
}

function bars({ series, names = [] }: Plot, scale: Scale): string[] {
  const each = Math.min(barMax, ((inner.width / names.length) * 0.8) / series.length);
  return series.flatMap(({ points }, index) =>
    points.flatMap(([x, y]) => {
      const left = scale.x(x) + each * (index - series.length / 2);
      const top = scale.y(y);
      return [
        `<rect x="${at2(left + 1)}" y="${at2(top)}" width="${at2(each - 2)}" height="${at2(bottom - top)}" rx="2" fill="${colour(index)}"/>`,
        text(
          left + each / 2,
          top - 5,
          grouped(y),
          `text-anchor="middle" font-size="11" fill="${ink.strong}"`,
        ),
      ];
    }),
  );
}

function bound(plot: Plot, scale: Scale): string[] {
  if (plot.bound === undefined) return [];
  const y = scale.y(plot.bound);
  return [
    `<line x1="${frame.left}" x2="${right}" y1="${at2(y)}" y2="${at2(y)}" stroke="${ink.bound}" stroke-dasharray="6 4"/>`,
    text(right, y - 5, `aim: ${grouped(plot.bound)}`, `text-anchor="end" fill="${ink.bound}"`),
  ];
}

/** At the right, in one line; nothing where there is only one series. */
function legend({ series }: Plot): string[] {
  if (series.length < 2) return [];
  const widths = series.map(({ name }) => name.length * charWidth + 34);
  return series.flatMap(({ name }, index) => {
    const x = right - widths.slice(index).reduce((sum, each) => sum + each, 0) + 16;
    return [
      `<rect x="${at2(x)}" y="44" width="12" height="12" rx="2" fill="${colour(index)}"/>`,
      text(x + 18, 54, name, ''),
    ];
  });
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${at2(x)}" y="${at2(y)}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function colour(index: number): string {
  return colours[index % colours.length] ?? ink.weak;
}

function at2(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** As people read it: 12,300. */
function grouped(value: number): string {
  return short(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
