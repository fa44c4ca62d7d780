'use client';
import type { ChatSettings } from '@anneal/core/protocol/conversations';
import { SlidersHorizontal } from 'lucide-react';
import { Popover } from 'radix-ui';
import { type ReactNode, useId } from 'react';
import { useTranslations } from 'use-intl';
import { buttonClass } from '../Button.tsx';
import { Segmented } from '../Segmented.tsx';
import { savedAs, useSavedPresets } from './presetStore.ts';
import { SavedPresets } from './SavedPresets.tsx';
import { type Preset, presetOf, presets } from './settings.ts';
import { ToolsField } from './ToolsField.tsx';

const numbers = [
  { key: 'temperature', min: 0, max: 100, step: 0.1 },
  { key: 'topP', min: 0, max: 1, step: 0.05 },
  { key: 'topK', min: 0, max: 1_000_000, step: 1 },
  { key: 'minP', min: 0, max: 1, step: 0.01 },
  { key: 'repetitionPenalty', min: 0.01, max: 100, step: 0.05 },
] as const;

interface Props {
  settings: ChatSettings;
  onChange: (settings: ChatSettings) => void;
}

/** How the models answer: system prompt, sampling, seed. */
export function SettingsPanel({ settings, onChange }: Props) {
  const t = useTranslations('chat');
  const preset = presetOf(settings);
  const saved = savedAs(useSavedPresets(), settings);
  const summary = [
    saved ?? (preset ? t(`preset.${preset}`) : t('preset.own')),
    t('seedOf', { seed: settings.seed }),
    ...(saved !== undefined || settings.system.trim() === '' ? [] : [t('withSystem')]),
    ...(saved !== undefined || settings.tools.trim() === '' ? [] : [t('withTools')]),
  ];
  return (
    <Popover.Root>
      <Popover.Trigger className={buttonClass()}>
        <SlidersHorizontal className="size-3.5" aria-hidden="true" />
        {t('settings')}
        <span className="figures font-normal text-muted max-2xl:hidden">{summary.join(' · ')}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={12}
          aria-label={t('settings')}
          className="z-30 grid max-h-[min(40rem,var(--radix-popover-content-available-height))] w-92 max-w-[calc(100vw-1.5rem)] gap-3.5 overflow-y-auto rounded-lg border border-line bg-surface p-3.5 shadow-black/8 shadow-lg"
        >
          <Fields settings={settings} onChange={onChange} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Fields({ settings, onChange }: Props) {
  const t = useTranslations('chat');
  const preset = presetOf(settings);
  const thinking = settings.thinking === undefined ? 'default' : settings.thinking ? 'on' : 'off';
  const thinkingOf = { default: undefined, on: true, off: false } as const;
  return (
    <>
      <SavedPresets settings={settings} onChange={onChange} />
      <Field label={t('system')}>
        {(id) => (
          <textarea
            id={id}
            rows={3}
            value={settings.system}
            onChange={(event) => onChange({ ...settings, system: event.target.value })}
            placeholder={t('systemHint')}
            className="min-h-16 w-full rounded-md border border-line bg-paper px-2.5 py-1.5 text-[13px] placeholder:text-muted"
          />
        )}
      </Field>
      <ToolsField tools={settings.tools} onChange={(tools) => onChange({ ...settings, tools })} />
      <div className="grid gap-1">
        <span className="label">{t('sampling')}</span>
        <Segmented
          label={t('sampling')}
          value={preset ?? 'own'}
          onChange={(name) => name !== 'own' && onChange({ ...settings, ...presets[name as Preset] })}
          options={[...(Object.keys(presets) as Preset[]), ...(preset ? [] : (['own'] as const))].map((value) => ({
            value,
            name: t(`preset.${value}`),
          }))}
        />
        <p className="text-[12px] text-muted">{t(`presetHint.${preset ?? 'own'}`)}</p>
      </div>
      <div className="grid grid-cols-2 gap-x-3 gap-y-2.5">
        {numbers.map(({ key, ...range }) => (
          <NumberField
            key={key}
            label={t(key)}
            value={settings[key]}
            placeholder={t('recommended')}
            {...range}
            onChange={(value) => onChange({ ...settings, [key]: value })}
          />
        ))}
        <NumberField
          label={t('maxTokens')}
          value={settings.maxTokens}
          min={1}
          max={1_000_000}
          step={1}
          onChange={(value) => onChange({ ...settings, maxTokens: value ?? 512 })}
        />
        <NumberField
          label={t('seed')}
          value={settings.seed}
          min={0}
          max={2 ** 32 - 1}
          step={1}
          onChange={(value) => onChange({ ...settings, seed: value ?? 3407 })}
        />
      </div>
      <div className="grid gap-1">
        <span className="label">{t('thinking')}</span>
        <Segmented
          label={t('thinking')}
          value={thinking}
          onChange={(value) => onChange({ ...settings, thinking: thinkingOf[value as keyof typeof thinkingOf] })}
          options={(['default', 'on', 'off'] as const).map((value) => ({ value, name: t(`thinkingAs.${value}`) }))}
        />
      </div>
    </>
  );
}

function NumberField({
  label,
  value,
  onChange,
  ...range
}: {
  label: string;
  value: number | undefined;
  onChange: (value: number | undefined) => void;
  min: number;
  max: number;
  step: number;
  placeholder?: string;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="number"
          value={value ?? ''}
          onChange={({ target }) => {
            const number = target.valueAsNumber;
            if (target.value === '') onChange(undefined);
            else if (number >= range.min && number <= range.max)
              onChange(range.step === 1 ? Math.round(number) : number);
          }}
          {...range}
          className="figures h-7 w-full rounded-md border border-line bg-paper px-2.5 text-[13px] placeholder:text-muted"
        />
      )}
    </Field>
  );
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="label">
        {label}
      </label>
      {children(id)}
    </div>
  );
}
