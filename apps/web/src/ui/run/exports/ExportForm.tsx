'use client';
import type { StudioExport, StudioExportPlan } from '@anneal/core/protocol/exports';
import type { MergedType } from '@anneal/core/protocol/mergedTypes';
import { useMutation, useQuery } from '@tanstack/react-query';
import { parseAsArrayOf, parseAsBoolean, parseAsString, useQueryState } from 'nuqs';
import { useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../../agent/connection.ts';
import { useCalledAs } from '../../../agent/hooks.ts';
import type { RunFacts } from '../../../agent/liveRun.ts';
import { useIsOff } from '../../../agent/useMe.ts';
import { Button } from '../../Button.tsx';
import { Command } from '../../Command.tsx';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { useFormat } from '../../format.ts';
import { Segmented } from '../../Segmented.tsx';
import { Nothing } from '../Samples.tsx';
import { CheckpointChoice } from './CheckpointChoice.tsx';
import { FormChoice } from './FormChoice.tsx';
import { bytesOf, type Chosen, chosenOf, commandFor, mergedTypesOf, takesImatrix, thereIn, wordsOf } from './forms.ts';

/** What is to be exported, with the size of each form before anything is written. */
export function ExportForm({
  run,
  exports,
  isExporting,
}: {
  run: RunFacts;
  exports: readonly StudioExport[];
  isExporting: boolean;
}) {
  const t = useTranslations('exports');
  const [checkpoint, setCheckpoint] = useQueryState('checkpoint', parseAsString);
  const { data: plan, error } = useQuery({
    // A run that goes on has a newer one after each checkpoint.
    queryKey: ['export-plan', run.key, checkpoint, run.checkpoint],
    queryFn: () => agent().exports.plan.query({ run: run.key, ...(checkpoint !== null && { checkpoint }) }),
    placeholderData: (before) => before,
    enabled: run.checkpoint !== null,
  });
  if (run.checkpoint === null) return <Nothing title={t('noCheckpoint')} text={t('noCheckpointText')} />;
  return (
    <section aria-label={t('new')} className="grid grid-cols-[minmax(0,1fr)] content-start gap-4 p-4">
      {error && <ErrorNote error={shownError(error)} />}
      {!plan && !error && (
        <p className="text-[13px] text-muted" role="status">
          {t('working')}
        </p>
      )}
      {plan && (
        <>
          <CheckpointChoice plan={plan} value={checkpoint} onChange={(value) => void setCheckpoint(value)} />
          <Forms run={run} exports={exports} plan={plan} checkpoint={checkpoint} isExporting={isExporting} />
        </>
      )}
    </section>
  );
}

function Forms({
  run,
  exports,
  plan,
  checkpoint,
  isExporting,
}: {
  run: RunFacts;
  exports: readonly StudioExport[];
  plan: StudioExportPlan;
  checkpoint: string | null;
  isExporting: boolean;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  const anneal = useCalledAs();
  const folderHint = useId();
  const isOff = useIsOff('operator');
  const [words, setWords] = useQueryState('forms', parseAsArrayOf(parseAsString));
  const [check, setCheck] = useQueryState('check', parseAsBoolean.withDefault(true));
  const [folder, setFolder] = useState<string>();
  const to = folder === undefined || folder === '' || folder === plan.target ? null : folder;
  const there = thereIn(to ?? plan.target ?? '', exports);
  const chosen = chosenOf(words, plan, there);
  const choose = (change: Partial<Chosen>) => void setWords(wordsOf({ ...chosen, ...change }));
  const start = useMutation({
    mutationFn: () =>
      agent().exports.start.mutate({
        run: run.key,
        lora: chosen.lora,
        gguf: [...chosen.gguf],
        imatrix: chosen.imatrix,
        ollama: chosen.ollama,
        check,
        ...(chosen.merged && { merged: chosen.merged }),
        ...(checkpoint !== null && { checkpoint }),
        ...(to !== null && { to }),
      }),
  });
  const total = bytesOf(chosen, plan);
  const isTooLarge = total > plan.free;
  return (
    <>
      <fieldset className="grid gap-1">
        <legend className="label mb-1">{t('forms')}</legend>
        <FormChoice
          name={t('lora')}
          hint={plan.lora === null ? t('loraNone') : t('loraHint')}
          bytes={plan.lora}
          checked={chosen.lora}
          disabled={plan.lora === null}
          isThere={there.has('lora')}
          onChange={(lora) => choose({ lora })}
        />
        <FormChoice
          name={t('merged')}
          hint={t('mergedHint')}
          bytes={plan.merged[chosen.merged ?? 'bf16'] ?? null}
          checked={chosen.merged !== null}
          isThere={there.has('merged')}
          onChange={(isOn) => choose({ merged: isOn ? 'bf16' : null })}
        >
          {chosen.merged && (
            <Segmented
              label={t('mergedType')}
              value={chosen.merged}
              onChange={(merged) => choose({ merged: merged as MergedType })}
              options={mergedTypesOf(plan).map((value) => ({ value, name: value }))}
            />
          )}
        </FormChoice>
        <GgufChoice plan={plan} there={there} chosen={chosen} choose={choose} />
        <FormChoice
          name={t('ollama')}
          hint={t('ollamaHint')}
          bytes={null}
          checked={chosen.ollama}
          disabled={chosen.gguf.length === 0}
          isThere={there.has('ollama')}
          onChange={(ollama) => choose({ ollama })}
        />
      </fieldset>
      <FormChoice
        name={t('check')}
        hint={t('checkHint')}
        bytes={null}
        checked={check}
        onChange={(isOn) => void setCheck(isOn)}
      />
      <label className="grid gap-1">
        <span className="label">{t('folder')}</span>
        <input
          value={folder ?? plan.target ?? ''}
          onChange={(event) => setFolder(event.target.value)}
          aria-describedby={folderHint}
          className="h-8 w-full rounded-md border border-line bg-surface px-2.5 font-mono text-[12px]"
        />
        <span id={folderHint} className="label">
          {t('folderHint')}
        </span>
      </label>
      {start.error && <ErrorNote error={shownError(start.error)} />}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button
          look="primary"
          className="h-9 px-5"
          disabled={isOff || total === 0 || isTooLarge || isExporting || start.isPending}
          onClick={() => start.mutate()}
        >
          {t('start')}
        </Button>
        <span className={`figures text-[13px] ${isTooLarge ? 'text-bad' : 'text-muted'}`}>
          {t('total', { bytes: format.bytes(total), free: format.bytes(plan.free) })}
          {isTooLarge && <span className="block">{t('tooLarge')}</span>}
        </span>
      </div>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-1.5">
        <span className="label">{t('command')}</span>
        <Command>{commandFor(chosen, { anneal, run: run.key, checkpoint, to, check })}</Command>
      </div>
    </>
  );
}

function GgufChoice({
  plan,
  there,
  chosen,
  choose,
}: {
  plan: StudioExportPlan;
  there: ReadonlySet<string>;
  chosen: Chosen;
  choose: (change: Partial<Chosen>) => void;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  if (!plan.gguf) {
    return (
      <FormChoice
        name={t('gguf')}
        hint={`${t('ggufNone')}: ${plan.refusal?.what ?? ''}`}
        bytes={null}
        checked={false}
      />
    );
  }
  const types = Object.entries(plan.gguf) as [Chosen['gguf'][number], number][];
  const first = ['q8_0', 'q4_k_m', 'f16'].find((type) => !there.has(type)) as Chosen['gguf'][number] | undefined;
  return (
    <FormChoice
      name={t('gguf')}
      hint={t('ggufHint')}
      bytes={null}
      checked={chosen.gguf.length > 0}
      onChange={(isOn) => choose({ gguf: isOn && first ? [first] : [] })}
    >
      {chosen.gguf.length > 0 && (
        <div role="group" aria-label={t('gguf')} className="grid grid-cols-2 gap-x-5 sm:grid-cols-3 lg:grid-cols-2">
          {types.map(([type, bytes]) => (
            <label key={type} className="flex cursor-pointer items-center gap-2 py-0.5 text-[12.5px]">
              <input
                type="checkbox"
                className="accent-ember"
                checked={chosen.gguf.includes(type)}
                disabled={there.has(type)}
                onChange={(event) => {
                  const others = chosen.gguf.filter((other) => other !== type);
                  choose({ gguf: event.target.checked ? [...others, type] : others });
                }}
              />
              <span className="font-mono text-[12px]">{type.toUpperCase()}</span>
              <span className="figures ml-auto text-muted">{there.has(type) ? t('there') : format.bytes(bytes)}</span>
            </label>
          ))}
        </div>
      )}
      {chosen.gguf.length > 0 && (
        <FormChoice
          name={t('imatrix')}
          hint={takesImatrix(chosen.gguf, plan) ? t('imatrixHint') : t('imatrixNone')}
          bytes={null}
          checked={chosen.imatrix}
          disabled={!takesImatrix(chosen.gguf, plan)}
          onChange={(imatrix) => choose({ imatrix })}
        />
      )}
    </FormChoice>
  );
}
