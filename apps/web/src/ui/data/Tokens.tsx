'use client';
import type { DataRow } from '@anneal/core/protocol/dataView';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { partTokens } from '../../agent/dataSet.ts';
import { Button } from '../Button.tsx';
import { useFormat } from '../format.ts';
import { tokenBlocks } from './shownTokens.ts';
import { TokenDetail } from './TokenDetail.tsx';
import { differingLook, type TokenForm, TokenText } from './TokenText.tsx';

/** The tokens of a row, and what is known of the one that is pointed at. */
export function Tokens({
  parts,
  pointed,
  ...rest
}: {
  parts: readonly DataRow[];
  form: TokenForm;
  showsSpace: boolean;
  chosen: number | null;
  pointed: number | null;
  onPoint: (token: number | null) => void;
  onChoose: (token: number) => void;
}) {
  const row = parts[0] as DataRow;
  const blocks = useMemo(() => tokenBlocks(parts), [parts]);
  const at = pointed ?? rest.chosen;
  const block = at === null ? undefined : blocks.find(({ tokens }) => (tokens.at(-1)?.index ?? -1) >= at);
  const token = block?.tokens.find(({ index }) => index === at);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <TokenText blocks={blocks} isDropped={row.verdict.kind === 'dropped'} {...rest} />
      <aside
        tabIndex={0}
        className="sticky bottom-0 rounded-lg border border-line bg-surface p-4 max-lg:max-h-[45dvh] max-lg:overflow-y-auto max-lg:shadow-[0_-8px_24px_rgb(0_0_0/0.12)] lg:top-16"
      >
        <TokenDetail row={row} token={token} role={block?.role ?? null} />
      </aside>
    </div>
  );
}

/** Asks for the next part of a row. @param readings the parts of each that have come; @param onMore null while some are on their way */
export function More({ readings, onMore }: { readings: readonly (readonly DataRow[])[]; onMore: (() => void) | null }) {
  const t = useTranslations('dataRow');
  const format = useFormat();
  if (!onMore || readings.every((parts) => parts.at(-1)?.isLast !== false)) return null;
  return (
    <Button className="justify-self-start" onClick={onMore}>
      {t('more', { count: format.count(partTokens) })}
    </Button>
  );
}

/** What the marks mean. @param differs two readings stand beside each other */
export function Legend({ differs }: { differs: boolean }) {
  const t = useTranslations('dataRow');
  return (
    <span className="flex flex-wrap items-center gap-x-3 text-[12.5px]" aria-hidden="true">
      <span className="bg-ember-soft px-1 [box-shadow:inset_0_-2px_0_0_var(--ember)]">{t('legendTrained')}</span>
      <span className="text-muted">{t('legendNot')}</span>
      <span className="text-teal">{t('legendSpecial')}</span>
      {differs && <span className={differingLook}>{t('legendDiffers')}</span>}
    </span>
  );
}
