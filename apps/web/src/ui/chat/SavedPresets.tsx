'use client';
import type { ChatSettings } from '@anneal/core/protocol/conversations';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { Button, IconButton } from '../Button.tsx';
import { removePreset, savedAs, savePreset, useSavedPresets } from './presetStore.ts';

/** Settings of one's own under a name: chosen, saved, deleted. The seed stays. */
export function SavedPresets({
  settings,
  onChange,
}: {
  settings: ChatSettings;
  onChange: (settings: ChatSettings) => void;
}) {
  const t = useTranslations('chat');
  const presets = useSavedPresets();
  const current = savedAs(presets, settings);
  const [name, setName] = useState('');
  const save = () => {
    savePreset(name.trim(), settings);
    setName('');
  };
  return (
    <div className="grid gap-1.5">
      {presets.length > 0 && (
        <div className="flex items-end gap-1">
          <label className="grid min-w-0 grow gap-1">
            <span className="label">{t('saved')}</span>
            <select
              value={current ?? ''}
              onChange={({ target }) => {
                const chosen = presets.find((preset) => preset.name === target.value);
                if (chosen) onChange({ tools: '', ...chosen.settings, seed: settings.seed });
              }}
              className="h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2 text-[13px]"
            >
              {current === undefined && <option value="">{t('savedNone')}</option>}
              {presets.map((preset) => (
                <option key={preset.name}>{preset.name}</option>
              ))}
            </select>
          </label>
          {current !== undefined && (
            <IconButton label={t('savedRemove', { name: current })} onClick={() => removePreset(current)}>
              <Trash2 className="size-4" />
            </IconButton>
          )}
        </div>
      )}
      {current === undefined && (
        <form
          className="flex items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') save();
          }}
        >
          <label className="grid min-w-0 grow gap-1">
            <span className="label">{t('savedName')}</span>
            <input
              value={name}
              onChange={({ target }) => setName(target.value)}
              maxLength={60}
              className="h-8 w-full rounded-md border border-line bg-paper px-2.5 text-[13px]"
            />
          </label>
          <Button type="submit" disabled={name.trim() === ''}>
            {t('savedSave')}
          </Button>
        </form>
      )}
    </div>
  );
}
