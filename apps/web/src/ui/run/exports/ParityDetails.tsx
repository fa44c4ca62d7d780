'use client';
import type { Parity } from '@anneal/core/protocol/exports';
import { type ParityVerdict, verdictOf } from '@anneal/core/protocol/parity';
import { ChevronRight } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../../format.ts';

const colors: Readonly<Record<ParityVerdict, string>> = {
  same: 'text-good',
  near_tie: 'text-good',
  rounded: 'text-warn',
  different: 'text-bad',
};

/** Whether an export answers as its run does, in a line that opens the details. */
export function ParityLine({
  parity,
  controls,
  isOpen,
  onToggle,
}: {
  parity: Parity | null;
  controls: string;
  isOpen: boolean;
  onToggle: () => void;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  if (!parity) return <p className="text-[12.5px] text-muted">{t('notChecked')}</p>;
  const verdict = verdictOf(parity);
  const sum = (key: 'agreeing' | 'tokens') => parity.prompts.reduce((total, prompt) => total + prompt[key], 0);
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      aria-controls={controls}
      onClick={onToggle}
      data-verdict={verdict}
      className="-ml-1 flex items-center gap-1 text-left text-[12.5px]"
    >
      <ChevronRight className={`size-3.5 shrink-0 text-muted ${isOpen ? 'rotate-90' : ''}`} aria-hidden="true" />
      <span>
        <span className={`font-medium ${colors[verdict]}`}>{t(verdict)}</span>
        <span className="figures text-muted">
          {' · '}
          {t('agree', { agreeing: format.count(sum('agreeing')), tokens: format.count(sum('tokens')) })}
        </span>
      </span>
    </button>
  );
}

/** Each prompt, and the first token where run and export part. */
export function ParityDetails({ parity }: { parity: Parity }) {
  const t = useTranslations('exports');
  const format = useFormat();
  return (
    <div className="mt-2 overflow-x-auto rounded-md border border-line bg-paper">
      <table className="w-full text-[12.5px]">
        <thead>
          <tr className="border-line border-b text-left text-muted [&>th]:px-3 [&>th]:py-1.5 [&>th]:font-normal">
            <th scope="col">{t('prompt')}</th>
            <th scope="col">{t('tokens')}</th>
            <th scope="col">{t('parts')}</th>
          </tr>
        </thead>
        <tbody className="[&_td]:px-3 [&_td]:py-1.5 [&_td]:align-top">
          {parity.prompts.map(({ prompt, tokens, agreeing, partsAt, before, after, samePrompt }) => (
            <tr key={prompt} className="border-line border-b last:border-b-0">
              <td className="max-w-80 [overflow-wrap:anywhere]">{prompt}</td>
              <td className="figures whitespace-nowrap">
                {format.count(agreeing)} / {format.count(tokens)}
              </td>
              <td className="[overflow-wrap:anywhere]">
                {!samePrompt && <span className="text-bad">{t('otherPrompt')}. </span>}
                {partsAt === null
                  ? samePrompt && <span className="text-muted">{t('allSame')}</span>
                  : t('partsAt', {
                      at: format.count(partsAt + 1),
                      before: JSON.stringify(before),
                      after: JSON.stringify(after),
                    })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="border-line border-t px-3 py-1.5 text-[12px] text-muted">
        {t('checkedAt', { time: format.time(parity.time) })}
      </p>
    </div>
  );
}
