'use client';
import { useMessages } from 'use-intl';
import { useFormat } from './format.ts';

const shades = [
  'var(--ember)',
  'var(--teal)',
  'var(--warn)',
  'var(--good)',
  'var(--muted)',
  'var(--ink)',
  'var(--faint)',
];

/** What lies beside the total. */
const beside: ReadonlySet<string> = new Set(['libraries', 'driver', 'host']);

/** Bytes by class in one bar, largest first, and their total. */
export function MemoryBar({ memory }: { memory: Readonly<Record<string, number>> }) {
  const format = useFormat();
  const names: Readonly<Record<string, string>> = useMessages().memoryPart;
  const total = memory['total'] ?? 0;
  const parts = Object.entries(memory)
    .filter(([name, bytes]) => name !== 'total' && !beside.has(name) && bytes > 0)
    .sort(([, a], [, b]) => b - a);
  return (
    <div>
      <div className="flex h-3 gap-px overflow-hidden rounded-[3px]" aria-hidden="true">
        {parts.map(([name, bytes], index) => (
          <div key={name} style={{ flexGrow: bytes, background: shades[index % shades.length] }} className="min-w-px" />
        ))}
      </div>
      <dl className="figures mt-3 grid grid-cols-[repeat(auto-fill,minmax(11rem,1fr))] gap-x-6 gap-y-1.5 text-[13px]">
        {[...parts, ['total', total] as const].map(([name, bytes], index) => (
          <div key={name} className={`flex items-center gap-2 ${name === 'total' ? 'font-semibold' : ''}`}>
            <span
              className="size-2 rounded-[2px]"
              style={{ background: name === 'total' ? 'transparent' : shades[index % shades.length] }}
              aria-hidden="true"
            />
            <dt className={name === 'total' ? '' : 'text-muted'}>{names[name] ?? name}</dt>
            <dd className="ml-auto">{format.bytes(bytes)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
