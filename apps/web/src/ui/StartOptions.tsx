'use client';
import { type Priority, priorities } from '@anneal/core/protocol/priorities';
import { useTranslations } from 'use-intl';
import { useDevices } from '../agent/useDevices.ts';

export interface ChosenStart {
  /** Undefined: the one that the recipe names. */
  device?: string;
  priority: Priority;
}

const field = 'h-8 w-full min-w-0 rounded-md border border-line bg-surface px-2 text-[13px]';

/** Where a run is trained, and what it goes before. */
export function StartOptions({ value, onChange }: { value: ChosenStart; onChange: (value: ChosenStart) => void }) {
  const t = useTranslations('start');
  const devices = useDevices() ?? [];
  const { device, priority } = value;
  return (
    <div className="grid grid-cols-2 gap-3">
      <label className="grid gap-1">
        <span className="label">{t('device')}</span>
        <select
          value={device ?? ''}
          onChange={({ target }) => onChange({ priority, ...(target.value && { device: target.value }) })}
          className={field}
        >
          <option value="">{t('asRecipe')}</option>
          {devices.map(({ name, title }) => (
            <option key={name} value={name}>
              {name} · {title}
            </option>
          ))}
        </select>
      </label>
      <label className="grid gap-1">
        <span className="label">{t('priority')}</span>
        <select
          value={priority}
          onChange={({ target }) => onChange({ ...value, priority: target.value as Priority })}
          className={field}
        >
          {priorities.map((level) => (
            <option key={level} value={level}>
              {t(level)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
