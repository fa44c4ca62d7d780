/** What a chart of a run shows. */
import type { RunSeries } from '@anneal/core/protocol/studio';
import type { Marker } from './markers.ts';
import type { XAxis } from './xAxis.ts';

export interface Line {
  label: string;
  /** Name of a color of the theme. */
  color: string;
  width: number;
  values(series: RunSeries): readonly (number | null)[];
  /** Fills from the lowest to the highest of each bucket. */
  band?: (series: RunSeries) => { min: readonly (number | null)[]; max: readonly (number | null)[] };
}

export interface ChartSpec {
  title: string;
  /** Told to those who do not see the chart, with how to move in it. */
  description: string;
  height: number;
  lines: readonly Line[];
  markers?: ((series: RunSeries) => readonly Marker[]) | undefined;
  /** The axis begins at 0 and not at the lowest value. */
  fromZero?: boolean;
  format(value: number): string;
  x: XAxis;
  formatX(place: number): string;
}
