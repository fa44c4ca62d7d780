'use client';
import { useMutation } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { type ChangeEvent, type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

/** As it comes from the agent. */
type Account = Awaited<ReturnType<ReturnType<typeof agent>['recipes']['import']['mutate']>>['account'];

const field = 'rounded-md border border-line bg-paper px-2.5 text-[13px]';

/** Translates a recipe of another trainer, and says what became of each key before it is opened. */
export function ImportRecipe({ onImported }: { onImported: (recipe: string) => void }) {
  const t = useTranslations('recipes');
  const may = useMay('editor');
  const [isOpen, setIsOpen] = useState(false);
  const [text, setText] = useState('');
  const [file, setFile] = useState('recipe.yaml');
  const [folder, setFolder] = useState('imported');
  const translate = useMutation({
    mutationFn: () => agent().recipes.import.mutate({ folder: folder.trim(), file, text }),
    onSuccess: ({ recipe }) => onImported(recipe),
  });
  const open = (wanted: boolean) => {
    setIsOpen(wanted);
    if (wanted) translate.reset();
  };
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = event.target.files?.[0];
    if (!chosen) return;
    setText(await chosen.text());
    setFile(chosen.name);
    setFolder(chosen.name.replace(/\.ya?ml$/i, '').replaceAll(/[^\p{L}\p{N}_.-]/gu, '-') || 'imported');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    translate.mutate();
  };
  return (
    <Dialog.Root open={isOpen} onOpenChange={open}>
      <Dialog.Trigger className={buttonClass()} disabled={!may}>
        {t('import')}
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Dialog.Content className="fixed top-[8vh] left-1/2 z-50 grid max-h-[84vh] w-[min(44rem,calc(100vw-2rem))] -translate-x-1/2 gap-3 overflow-y-auto rounded-xl border border-line bg-surface p-5 shadow-xl">
          <Dialog.Title className="font-semibold text-[15px]">{t('importTitle')}</Dialog.Title>
          <Dialog.Description className="text-muted">{t('importText')}</Dialog.Description>
          {translate.data ? (
            <>
              <Translation account={translate.data.account} />
              <Dialog.Close className={`${buttonClass('primary')} justify-self-end`}>{t('importDone')}</Dialog.Close>
            </>
          ) : (
            <form onSubmit={submit} className="grid gap-3">
              <label className="grid gap-1">
                <span className="label">{t('importFile')}</span>
                <input
                  type="file"
                  accept=".yaml,.yml"
                  onChange={read}
                  className="text-[13px] text-muted file:mr-3 file:h-8 file:rounded-md file:border file:border-line file:bg-surface file:px-3 file:font-medium file:text-ink hover:file:border-faint"
                />
              </label>
              <label className="grid gap-1">
                <span className="label">{t('importYaml')}</span>
                <textarea
                  value={text}
                  onChange={(event) => setText(event.target.value)}
                  spellCheck={false}
                  rows={12}
                  className={`${field} resize-y py-2 font-mono text-[12.5px]`}
                />
              </label>
              <label className="grid gap-1">
                <span className="label">{t('importFolder')}</span>
                <input
                  value={folder}
                  onChange={(event) => setFolder(event.target.value)}
                  pattern="[\p{L}\p{N}_][\p{L}\p{N}_.\-]*"
                  maxLength={64}
                  required
                  className={`${field} h-8`}
                />
              </label>
              {translate.error && <ErrorNote error={shownError(translate.error)} />}
              <div className="flex justify-end gap-2">
                <Dialog.Close className={buttonClass()}>{t('cancel')}</Dialog.Close>
                <Button type="submit" look="primary" disabled={text.trim() === '' || translate.isPending}>
                  {t('importStart')}
                </Button>
              </div>
            </form>
          )}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Translation({ account }: { account: Account }) {
  const t = useTranslations('recipes');
  const { translated, untranslated, implied } = account;
  const rows = [
    ...translated.map(({ from, to, note }) => ({ theirs: from, ours: to, note, isLost: false })),
    ...implied.map(({ key, value, note }) => ({
      theirs: '',
      ours: `${key}: ${JSON.stringify(value)}`,
      note,
      isLost: false,
    })),
    ...untranslated.map(({ key, reason }) => ({ theirs: key, ours: t('notTranslated'), note: reason, isLost: true })),
  ];
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-left text-[12.5px]">
        <thead className="text-muted">
          <tr>
            <th className="py-1 pr-3 font-normal">{t('theirs')}</th>
            <th className="py-1 pr-3 font-normal">{t('ours')}</th>
            <th className="py-1 font-normal">{t('note')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ theirs, ours, note, isLost }) => (
            <tr key={`${theirs} ${ours}`} className="border-line border-t align-top">
              <td className="py-1 pr-3 font-mono">{theirs}</td>
              <td className={`py-1 pr-3 ${isLost ? 'text-warn' : 'font-mono'}`}>{ours}</td>
              <td className="py-1 text-muted">{note}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
