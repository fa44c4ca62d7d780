'use client';
import type { RowLengths } from '@anneal/core/protocol/dataView';
import { useRef } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';

const height = 96;

/** Bars for the lengths, of an estimate with how far off each may be, and a line at a limit, which is dragged or moved by the arrow keys. */
export function LengthChart({
  lengths: { rows, width, longest, sample },
  value,
  onChange,
}: {
  lengths: RowLengths;
  value: number;
  onChange: (value: number) => void;
}) {
  const t = useTranslations('data');
  const format = useFormat();
  const area = useRef<HTMLDivElement>(null);
  const most = Math.max(...rows.map((count, bin) => count + (sample?.margins[bin] ?? 0)), 1);
  const end = rows.length * width;
  const share = Math.min(1, (value + 1) / end);
  const moveTo = (x: number) => {
    const box = area.current?.getBoundingClientRect();
    if (!box) return;
    onChange(Math.max(1, Math.round(((x - box.left) / box.width) * end)));
  };
  return (
    <div className="mt-3">
      <div
        ref={area}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          moveTo(event.clientX);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) moveTo(event.clientX);
        }}
        className="relative touch-none select-none cursor-ew-resize"
      >
        <svg
          role="img"
          aria-label={t('lengthsChart', { longest: format.count(longest) })}
          viewBox={`0 0 ${rows.length} ${height}`}
          preserveAspectRatio="none"
          className="block h-24 w-full"
        >
          {rows.map((count, bin) => {
            // Few are to be seen beside many.
            const bar = count === 0 ? 0 : Math.max(2, (count / most) * height);
            return (
              <rect
                key={bin * width}
                x={bin + 0.06}
                y={height - bar}
                width={0.88}
                height={bar}
                className={bin * width > value ? 'fill-bad/60' : 'fill-teal'}
              />
            );
          })}
          {sample?.margins.map((margin, bin) => {
            const count = rows[bin] ?? 0;
            if (count === 0) return null;
            const [low, high] = [Math.max(0, count - margin), count + margin].map(
              (edge) => height - (edge / most) * height,
            );
            return (
              <line
                key={bin * width}
                x1={bin + 0.5}
                x2={bin + 0.5}
                y1={low}
                y2={high}
                className="stroke-ink/70"
                vectorEffect="non-scaling-stroke"
              />
            );
          })}
          <line
            x1={0}
            x2={rows.length}
            y1={height}
            y2={height}
            className="stroke-line"
            vectorEffect="non-scaling-stroke"
          />
        </svg>
        <div
          role="slider"
          tabIndex={0}
          aria-label={t('sequenceLen')}
          aria-valuemin={1}
          aria-valuemax={end}
          aria-valuenow={Math.min(value, end)}
          title={t('lengthsHint')}
          onKeyDown={(event) => {
            const step = (event.shiftKey ? 10 : 1) * Math.max(1, Math.round(width / 4));
            if (event.key === 'ArrowRight' || event.key === 'ArrowUp') onChange(value + step);
            else if (event.key === 'ArrowLeft' || event.key === 'ArrowDown')
              onChange(Math.max(1, Math.min(value, end) - step));
            else return;
            event.preventDefault();
          }}
          className="absolute -top-1 bottom-0 -ml-2 w-4"
          style={{ left: `${100 * share}%` }}
        >
          <span className="absolute inset-y-0 left-2 w-0.5 -translate-x-1/2 bg-ember" aria-hidden="true" />
          <span className="absolute top-0 left-2 size-2.5 -translate-x-1/2 rounded-full bg-ember" aria-hidden="true" />
        </div>
      </div>
      <div className="label figures mt-1 flex justify-between" aria-hidden="true">
        <span>0</span>
        <span>{format.count(longest)}</span>
      </div>
    </div>
  );
}
