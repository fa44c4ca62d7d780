'use client';
import { useFormatter, useTranslations } from 'use-intl';

export interface Format {
  /** Four digits that say something, in the usual notation. */
  number(value: number | null): string;
  count(value: number): string;
  /** Of a share of one, without the sign. */
  percent(share: number): string;
  bytes(value: number): string;
  /** Of a model: 1.82 M, 8.03 B. */
  parameters(count: number): string;
  /** A time span in its largest unit. */
  span(seconds: number): string;
  /** From and to, in the unit of the larger one. */
  range(seconds: readonly [number, number] | null): string;
  time(iso: string): string;
}

const units = [
  { name: 'days', seconds: 86_400 },
  { name: 'hours', seconds: 3600 },
  { name: 'minutes', seconds: 60 },
  { name: 'seconds', seconds: 1 },
] as const;

function unitOf(seconds: number): (typeof units)[number] {
  return units.find((unit) => seconds >= 1.5 * unit.seconds) ?? units[3];
}

/** With the sign that is as wide as the digits. */
export const minus = (text: string): string => text.replaceAll('-', '−');

export function useFormat(): Format {
  const format = useFormatter();
  const t = useTranslations('units');
  const amount = (seconds: number, unit: (typeof units)[number]) => {
    const value = seconds / unit.seconds;
    return format.number(value, { maximumFractionDigits: value < 10 && unit.name !== 'seconds' ? 1 : 0 });
  };
  return {
    number(value) {
      if (value === null) return '–';
      const size = Math.abs(value);
      if (size !== 0 && (size < 1e-3 || size >= 1e6)) return minus(value.toExponential(2).replace('e+', 'e'));
      return minus(
        format.number(
          value,
          size >= 1000 ? { maximumFractionDigits: 0 } : { minimumSignificantDigits: 4, maximumSignificantDigits: 4 },
        ),
      );
    },
    count: (value) => format.number(value, { maximumFractionDigits: 0 }),
    percent: (share) => format.number(100 * share, { maximumFractionDigits: share < 0.1 ? 1 : 0 }),
    bytes(value) {
      const power = Math.min(4, Math.floor(Math.log10(Math.max(1, value)) / 3));
      const digits = power === 0 ? 0 : value / 1000 ** power < 10 ? 2 : 1;
      return `${format.number(value / 1000 ** power, { maximumFractionDigits: digits })} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
    },
    parameters(count) {
      const [size, unit] = count >= 1e9 ? [1e9, 'B'] : [1e6, 'M'];
      return `${format.number(count / size, { maximumSignificantDigits: 3 })} ${unit}`;
    },
    span(seconds) {
      const unit = unitOf(seconds);
      return t(unit.name, { value: amount(seconds, unit) });
    },
    range(remaining) {
      if (remaining === null) return t('unknown');
      const [from, to] = remaining;
      if (to < 5) return t('soon');
      const unit = unitOf(to);
      const [low, high] = [amount(from, unit), amount(to, unit)];
      return t(unit.name, { value: low === high ? low : `${low}–${high}` });
    },
    time(iso) {
      if (iso === '') return '–';
      const date = new Date(iso);
      const isToday = date.toDateString() === new Date().toDateString();
      return format.dateTime(date, {
        ...(isToday ? {} : { month: 'short', day: 'numeric' }),
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      });
    },
  };
}
