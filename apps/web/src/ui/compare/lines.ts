/** How a run is drawn among others, and what of it a chart shows. */
import { nameWithoutSeed } from '@anneal/core/protocol/seedGroups';
import type { Metric, RunSeries } from '@anneal/core/protocol/studio';
import { placeOfStep, placesOf, type XAxis } from '../charts/xAxis.ts';

const colors = 8;
/** Where the colors begin again, so that the run is told by its dashes. */
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [14, 5], [2, 6]];

export interface RunStyle {
  /** Name of a color of the theme. */
  color: string;
  /** Lengths of dashes and gaps in pixels; empty for a line without. */
  dash: readonly number[];
}

export function styleOf(at: number): RunStyle {
  return { color: `run-${at % colors}`, dash: dashes[Math.floor(at / colors)] ?? [] };
}

/** A curve of the charts: a run, or runs that differ in their seeds. */
export interface DrawnLine {
  key: string;
  name: string;
  title: string;
  /** Indices of its runs; the first one decides the style. */
  runs: readonly number[];
  at: number;
}

/** @param joined runs that are drawn as one: indices */
export function linesOf(
  runs: readonly { key: string; name: string; seed: number | null }[],
  joined: readonly (readonly number[])[],
): DrawnLine[] {
  const names = namesAmong(runs);
  return runs.flatMap((run, at) => {
    const { key } = run;
    const group = joined.find((members) => members.includes(at));
    if (!group) return [{ key, name: names[at] as string, title: key, runs: [at], at }];
    if (group[0] !== at) return [];
    const title = group.map((member) => runs[member]?.key).join('\n');
    return [{ key, name: `${nameWithoutSeed(run)} × ${group.length}`, title, runs: group, at }];
  });
}

const folder = (key: string): string => key.split('/').at(-1) as string;

/** What each run is called beside the others: its name, its folder where others have that name, too, else its whole path. */
export function namesAmong(runs: readonly { key: string; name: string }[]): string[] {
  const names = countOf(runs.map(({ name }) => name));
  const folders = countOf(runs.map(({ key }) => folder(key)));
  return runs.map(({ key, name }) => {
    if (name !== '' && names.get(name) === 1) return name;
    return folders.get(folder(key)) === 1 ? folder(key) : key;
  });
}

function countOf(texts: readonly string[]): ReadonlyMap<string, number> {
  return texts.reduce((counts, text) => counts.set(text, (counts.get(text) ?? 0) + 1), new Map<string, number>());
}

/** Places, lowest, highest and mean. */
export type Columns = readonly [
  readonly number[],
  readonly (number | null)[],
  readonly (number | null)[],
  readonly (number | null)[],
];

export const charts = [
  'loss',
  'evaluationLoss',
  'learningRate',
  'gradNorm',
  'tokensPerSecond',
  'memory',
] as const satisfies readonly (Metric | 'evaluationLoss')[];
export type ChartName = (typeof charts)[number];

/** The step of each point of a curve. */
export function stepsOf(name: ChartName, series: RunSeries): readonly number[] {
  return name === 'evaluationLoss' ? series.evaluations.map(({ step }) => step) : series.step;
}

export function columnsOf(name: ChartName, axis: XAxis, series: RunSeries): Columns {
  if (name === 'evaluationLoss') {
    const losses = series.evaluations.map(({ loss }) => loss);
    return [series.evaluations.map(({ step }) => placeOfStep(axis, series, step)), losses, losses, losses];
  }
  const { min, max, mean } = series.bands[name];
  return mean.length === 0 ? [[], [], [], []] : [placesOf(axis, series), min, max, mean];
}
