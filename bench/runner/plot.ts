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
const frame = { left: 70, right: 20, top: 40, bottom: 70 };
const inner = {
  width: width - frame.left - frame.right,
  height: height - frame.top - frame.bottom,
};
const colours = ['#2563eb', '#ea580c', '#16a34a', '#9333ea', '#dc2626', '#0891b2'];

/** The chart as one SVG file that needs nothing else. */
export function svgOf(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points);
  const top = niceTop(Math.max(plot.bound ?? 0, ...points.map(([, y]) => y), 1e-9));
  const xs = points.map(([x]) => x);
  const [low, high] = plot.names
    ? [-0.5, plot.names.length - 0.5]
    : [Math.min(...xs, 0), Math.max(...xs, 1e-9)];
  const scale = {
    x: (x: number) => frame.left + ((x - low) / (high - low || 1)) * inner.width,
    y: (y: number) => frame.top + inner.height - (y / top) * inner.height,
  };
  const body = plot.names ? bars(plot, scale) : lines(plot, scale);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(width / 2, 22, plot.title, 'font-size="15" text-anchor="middle"'),
    ...yAxis(plot, scale, top),
    ...xAxis(plot, scale, [low, high]),
    ...body,
    ...legend(plot),
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  x(value: number): number;
  y(value: number): number;
}

function lines({ series }: Plot, scale: Scale): string[] {
  return series.flatMap(({ points }, index) => {
    const at = points.map(([x, y]) => `${at2(scale.x(x))},${at2(scale.y(y))}`);
    const dots = points.length > 40 ? [] : at;
    return [
      `<polyline fill="none" stroke="${colour(index)}" stroke-width="2" points="${at.join(' ')}"/>`,
      ...dots.map((dot) => {
        const [x = '', y = ''] = dot.split(',');
        return `<circle cx="${x}" cy="${y}" r="3" fill="${colour(index)}"/>`;
      }),
    ];
  });
}

function bars({ series, names = [] }: Plot, scale: Scale): string[] {
  const slot = inner.width / names.length;
  const each = (slot * 0.8) / series.length;
  return series.flatMap(({ points }, index) =>
    points.flatMap(([x, y]) => {
      const left = scale.x(x) - slot * 0.4 + each * index;
      return [
        `<rect x="${at2(left)}" y="${at2(scale.y(y))}" width="${at2(each * 0.94)}" height="${at2(scale.y(0) - scale.y(y))}" fill="${colour(index)}"/>`,
        text(left + each / 2, scale.y(y) - 4, short(y), 'text-anchor="middle" font-size="10"'),
      ];
    }),
  );
}

function yAxis(plot: Plot, scale: Scale, top: number): string[] {
  const marks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * top);
  const right = frame.left + inner.width;
  const bound =
    plot.bound === undefined
      ? []
      : [
          `<line x1="${frame.left}" x2="${right}" y1="${at2(scale.y(plot.bound))}" y2="${at2(scale.y(plot.bound))}" stroke="#dc2626" stroke-dasharray="6 4"/>`,
        ];
  return [
    ...marks.flatMap((mark) => [
      `<line x1="${frame.left}" x2="${right}" y1="${at2(scale.y(mark))}" y2="${at2(scale.y(mark))}" stroke="#e5e7eb"/>`,
      text(frame.left - 8, scale.y(mark) + 4, short(mark), 'text-anchor="end"'),
    ]),
    ...bound,
    `<text transform="translate(16 ${frame.top + inner.height / 2}) rotate(-90)" text-anchor="middle">${escaped(plot.yLabel)}</text>`,
  ];
}

function xAxis(plot: Plot, scale: Scale, [low, high]: readonly [number, number]): string[] {
  const bottom = frame.top + inner.height;
  const marks: [number, string][] = plot.names
    ? plot.names.map((name, index) => [index, name])
    : xMarks(plot, low, high).map((x) => [x, short(x)]);
  return [
    ...marks.map(([x, label]) => text(scale.x(x), bottom + 18, label, 'text-anchor="middle"')),
    text(frame.left + inner.width / 2, bottom + 36, plot.xLabel, 'text-anchor="middle"'),
  ];
}

/** Few points are named each, many by a scale. */
function xMarks({ series }: Plot, low: number, high: number): number[] {
  const own = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))];
  if (own.length <= 8) return own;
  return [0, 0.25, 0.5, 0.75, 1].map((share) => low + share * (high - low));
}

function legend({ series }: Plot): string[] {
  return series.flatMap(({ name }, index) => {
    const x = frame.left + (inner.width / series.length) * index;
    return [
      `<rect x="${at2(x)}" y="${height - 20}" width="12" height="12" fill="${colour(index)}"/>`,
      text(x + 18, height - 10, name, ''),
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
  return colours[index % colours.length] ?? '#000000';
}

function at2(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The next 1, 2, 2.5 or 5 times a power of ten. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}
