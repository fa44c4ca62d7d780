'use client';
import type { OtherText } from '@anneal/core/protocol/dataView';
import { otherTemplates } from '@anneal/core/protocol/otherTemplates';
import { parseAsString, parseAsStringLiteral, useQueryStates } from 'nuqs';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { useDataList } from '../../agent/dataSet.ts';

const select = 'h-8 max-w-56 rounded-md border border-line bg-surface px-2 text-[13px]';

const address = { template: parseAsStringLiteral(otherTemplates), tokenizer: parseAsString };

/** How else a row is read, as the address says; null where nothing is to stand beside it. */
export function useOtherText(): OtherText | null {
  const [{ template, tokenizer: model }] = useQueryStates(address);
  return useMemo(() => (template === null && model === null ? null : { template, model }), [template, model]);
}

/** Chooses another chat template, or another model's tokenizer, to stand beside the row as it is read. */
export function OtherReading() {
  const t = useTranslations('dataRow');
  const { data: list } = useDataList();
  const [{ template, tokenizer }, setAddress] = useQueryStates(address);
  const tokenizers = list?.tokenizers ?? [];
  const isListed = tokenizer === null || tokenizers.includes(tokenizer);
  return (
    <fieldset className="flex flex-wrap items-center gap-x-3 gap-y-2 text-[13px]">
      <legend className="sr-only">{t('beside')}</legend>
      <span aria-hidden="true">{t('beside')}</span>
      <label className="flex items-center gap-1.5">
        <span className="text-muted">{t('template')}</span>
        <select
          value={template ?? ''}
          onChange={({ target: { value } }) =>
            void setAddress({ template: otherTemplates.find((name) => name === value) ?? null })
          }
          className={select}
        >
          <option value="">{t('asHere')}</option>
          {otherTemplates.map((name) => (
            <option key={name} value={name}>
              {name === 'tokenizer_default' ? t('ownTemplate') : name}
            </option>
          ))}
        </select>
      </label>
      <label className="flex min-w-0 items-center gap-1.5">
        <span className="shrink-0 text-muted">{t('tokenizer')}</span>
        <select
          value={tokenizer ?? ''}
          onChange={({ target: { value } }) => void setAddress({ tokenizer: value || null })}
          className={`${select} min-w-0`}
        >
          <option value="">{t('asHere')}</option>
          {[...tokenizers, ...(isListed ? [] : [tokenizer])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}
