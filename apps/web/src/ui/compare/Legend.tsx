'use client';
import { useTranslations } from 'use-intl';
import { type DrawnLine, styleOf } from './lines.ts';

/** Which line is which run. A click hides or shows it, pointing at it brings it to the fore. */
export function Legend({
  lines,
  hidden,
  onToggle,
  onHighlight,
}: {
  lines: readonly DrawnLine[];
  hidden: ReadonlySet<string>;
  onToggle: (run: string) => void;
  onHighlight: (run: string | null) => void;
}) {
  const t = useTranslations('compare');
  return (
    <fieldset className="flex max-h-40 flex-wrap gap-1.5 overflow-y-auto">
      <legend className="sr-only">{t('legend')}</legend>
      {lines.map(({ key, name, title, at }) => (
        <button
          key={key}
          type="button"
          aria-pressed={!hidden.has(key)}
          title={title}
          onClick={() => onToggle(key)}
          onPointerEnter={() => onHighlight(key)}
          onPointerLeave={() => onHighlight(null)}
          onFocus={() => onHighlight(key)}
          onBlur={() => onHighlight(null)}
          className="flex max-w-72 items-center text-left gap-1.5 rounded border border-line px-2 py-0.5 text-[12px] hover:bg-sunken aria-[pressed=false]:text-muted aria-[pressed=false]:line-through"
        >
          <Swatch at={at} />
          <span className="min-w-0 [overflow-wrap:anywhere]">{name}</span>
        </button>
      ))}
    </fieldset>
  );
}

/** A piece of the line of a run. */
export function Swatch({ at }: { at: number }) {
  const { color, dash } = styleOf(at);
  return (
    <svg width="22" height="10" className="shrink-0" aria-hidden="true">
      <line
        x1="0"
        x2="22"
        y1="5"
        y2="5"
        stroke={`var(--${color})`}
        strokeWidth="2.5"
        strokeDasharray={dash.join(' ')}
      />
    </svg>
  );
}
