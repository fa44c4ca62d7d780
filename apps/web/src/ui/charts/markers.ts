/** What happened during a run, drawn over a chart. */
import type { Alert } from '@anneal/core/protocol/alerts';
import type uPlot from 'uplot';

export type Marker =
  /** A small mark at the lower edge: a checkpoint. */
  | { kind: 'tick'; step: number; color: string }
  /** A dotted line from top to bottom: a resume, a loss that was not finite, or the step that is looked at. */
  | { kind: 'line'; step: number; color: string }
  /** A dotted line with a sign at its upper end: an alert. */
  | { kind: 'alert'; step: number; color: string }
  /** A value of its own, joined to the one before: an evaluation. */
  | { kind: 'point'; step: number; value: number | null; color: string };

/** A full disk is about no step. */
export function alertMarkers(alerts: readonly Alert[]): Marker[] {
  return alerts
    .filter(({ code }) => code !== 'disk_nearly_full')
    .map(({ code, step }) => ({ kind: 'alert', step, color: code === 'not_finite' ? 'bad' : 'warn' }));
}

/** @param placeOf where a step stands on the x axis. @param colorOf of a name of the theme */
export function drawMarkers(
  plot: uPlot,
  markers: readonly Marker[],
  placeOf: (step: number) => number,
  colorOf: (name: string) => string,
): void {
  if (markers.length === 0) return;
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const { min = 0, max = 0 } = plot.scales.x as { min?: number; max?: number };
  const bottom = bbox.top + bbox.height;
  /** Lines end at the edges of the chart; what marks a place is whole there. */
  const marks: (() => void)[] = [];
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  let before: { x: number; y: number } | undefined;
  let lastDot = Number.NEGATIVE_INFINITY;
  let lastTick = Number.NEGATIVE_INFINITY;
  for (const marker of markers) {
    const place = placeOf(marker.step);
    const x = plot.valToPos(place, 'x', true);
    const isShown = place >= min && place <= max;
    const color = colorOf(marker.color);
    ctx.strokeStyle = color;
    const mark = (draw: () => void) =>
      marks.push(() => {
        ctx.fillStyle = color;
        draw();
      });
    // Dots and ticks that would lie over one another are one.
    if (marker.kind === 'point') {
      if (marker.value === null) continue;
      const y = plot.valToPos(marker.value, 'y', true);
      if (before) line(ctx, before.x, before.y, x, y, 1.5 * ratio, []);
      before = { x, y };
      if (!isShown || x - lastDot < 8 * ratio) continue;
      lastDot = x;
      mark(() => dot(ctx, x, y, 2.75 * ratio));
      continue;
    }
    if (!isShown) continue;
    if (marker.kind === 'tick') {
      if (x - lastTick < 10 * ratio) continue;
      lastTick = x;
      mark(() => triangle(ctx, x, bottom, 4 * ratio));
    } else {
      line(ctx, x, bbox.top, x, bottom, ratio, [3 * ratio, 3 * ratio]);
      if (marker.kind === 'alert') mark(() => triangle(ctx, x, bbox.top + 8 * ratio, 5 * ratio));
    }
  }
  ctx.restore();
  for (const draw of marks) draw();
}

/** From the lowest to the highest value that is marked in these steps; undefined where there is none. */
export function extentOfPoints(
  markers: readonly Marker[],
  [first, last]: readonly [number, number],
): [low: number, high: number] | undefined {
  const values = markers.flatMap((marker) => {
    if (marker.kind !== 'point' || marker.value === null) return [];
    return marker.step >= first && marker.step <= last ? [marker.value] : [];
  });
  if (values.length === 0) return undefined;
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

function dot(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

function line(
  ctx: CanvasRenderingContext2D,
  x: number,
  y: number,
  toX: number,
  toY: number,
  width: number,
  dash: number[],
) {
  ctx.beginPath();
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.moveTo(x, y);
  ctx.lineTo(toX, toY);
  ctx.stroke();
  ctx.setLineDash([]);
}

function triangle(ctx: CanvasRenderingContext2D, x: number, bottom: number, size: number) {
  ctx.beginPath();
  ctx.moveTo(x, bottom - 1.6 * size);
  ctx.lineTo(x + size, bottom);
  ctx.lineTo(x - size, bottom);
  ctx.fill();
}
