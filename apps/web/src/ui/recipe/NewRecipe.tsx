'use client';
import { type PresetName, presetModels, presetNames, presetRows } from '@anneal/core/protocol/presets';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { type FormEvent, useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

const field = 'h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2.5 text-[13px] placeholder:text-muted';

/** A recipe in a new folder that begins as one of a few, with a model and rows that are chosen here. */
export function NewRecipe({ onCreated }: { onCreated: (recipe: string) => void }) {
  const t = useTranslations('recipes');
  const may = useMay('editor');
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setIsOpen}>
      <Dialog.Trigger className={buttonClass()} disabled={!may}>
        {t('new')}
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Dialog.Content className="fixed top-[8vh] left-1/2 z-50 grid max-h-[84vh] w-[min(40rem,calc(100vw-2rem))] -translate-x-1/2 gap-4 overflow-y-auto rounded-xl border border-line bg-surface p-5 shadow-xl">
          <Dialog.Title className="font-semibold text-[15px]">{t('newTitle')}</Dialog.Title>
          <Dialog.Description className="text-muted">{t('newText')}</Dialog.Description>
          <Choices
            onCreated={(recipe) => {
              setIsOpen(false);
              onCreated(recipe);
            }}
          />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Choices({ onCreated }: { onCreated: (recipe: string) => void }) {
  const t = useTranslations('recipes');
  const [models, rows] = [useId(), useId()];
  const [preset, setPreset] = useState<PresetName>('lora');
  const [model, setModel] = useState('');
  const [data, setData] = useState('');
  const [folder, setFolder] = useState('');
  const known = useQuery({ queryKey: ['models'], queryFn: () => agent().models.list.query() });
  const files = useQuery({ queryKey: ['data-list'], queryFn: () => agent().data.list.query() });
  const create = useMutation({
    mutationFn: () =>
      agent().recipes.create.mutate({
        folder: folder.trim(),
        preset,
        ...(model.trim() !== '' && { model: model.trim() }),
        ...(data.trim() !== '' && { data: data.trim() }),
      }),
    onSuccess: ({ recipe }) => onCreated(recipe),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const kind = presetRows[preset];
  const failure = create.error ?? files.error ?? known.error;
  return (
    <form onSubmit={submit} className="grid gap-3">
      <fieldset className="grid gap-1.5">
        <legend className="label mb-1">{t('preset')}</legend>
        {presetNames.map((name) => (
          <label
            key={name}
            className="flex gap-2.5 rounded-md border border-line px-3 py-2 text-[13px] has-checked:border-ember has-checked:bg-ember-soft"
          >
            <input
              type="radio"
              name="preset"
              checked={preset === name}
              onChange={() => setPreset(name)}
              className="mt-0.5 self-start"
            />
            <span>
              <span className="block font-medium">{t(`presets.${name}`)}</span>
              <span className="text-muted">{t(`presetHints.${name}`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <label className="grid gap-1">
        <span className="label">{t('newModel')}</span>
        <input
          value={model}
          onChange={({ target }) => setModel(target.value)}
          list={models}
          placeholder={presetModels[preset]}
          spellCheck={false}
          className={`${field} font-mono`}
        />
        <datalist id={models}>
          {known.data?.map(({ path, name }) => (
            <option key={path} value={name} />
          ))}
        </datalist>
      </label>
      <label className="grid gap-1">
        <span className="label">{t('newData')}</span>
        <input
          value={data}
          onChange={({ target }) => setData(target.value)}
          list={rows}
          placeholder={kind === 'conversations' ? t('starterData') : t(`dataNeeded.${kind}`)}
          required={kind !== 'conversations'}
          maxLength={1024}
          spellCheck={false}
          className={`${field} font-mono`}
        />
        <datalist id={rows}>
          {files.data?.files.map(({ key }) => (
            <option key={key} value={key} />
          ))}
        </datalist>
      </label>
      <label className="grid gap-1">
        <span className="label">{t('importFolder')}</span>
        <input
          value={folder}
          onChange={({ target }) => setFolder(target.value)}
          pattern="[\p{L}\p{N}_][\p{L}\p{N}_.\-]*"
          maxLength={64}
          required
          className={field}
        />
      </label>
      {failure && <ErrorNote error={shownError(failure)} />}
      <div className="sticky bottom-[-1.25rem] -mx-5 -mb-5 flex justify-end gap-2 border-line border-t bg-surface px-5 py-3">
        <Dialog.Close className={buttonClass()}>{t('cancel')}</Dialog.Close>
        <Button type="submit" look="primary" disabled={create.isPending}>
          {t('create')}
        </Button>
      </div>
    </form>
  );
}
