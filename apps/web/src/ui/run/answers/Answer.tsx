'use client';
import type { ListedAnswer } from '@anneal/core/protocol/answers';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../../format.ts';

/** An answer in the color of its advantage, which is that of each of its tokens; before it what it was worth. */
export function Answer({ answer, largest }: { answer: ListedAnswer; largest: number }) {
  const t = useTranslations('answers');
  const format = useFormat();
  const { reward, rewards, advantage, tokens, ended, text } = answer;
  return (
    <li className="grid gap-1.5 px-3 py-2.5">
      <dl className="figures flex flex-wrap gap-x-4 gap-y-0.5 text-[12.5px]">
        <Figure name={t('reward')}>{format.number(reward)}</Figure>
        <Figure name={t('advantage')}>{signed(advantage, format.number)}</Figure>
        {Object.entries(rewards).map(([name, value]) => (
          <Figure key={name} name={name}>
            {format.number(value)}
          </Figure>
        ))}
        <Figure name={t('tokens')}>{format.count(tokens)}</Figure>
        {!ended && <Figure name={t('end')}>{t('cut')}</Figure>}
      </dl>
      {text === '' ? (
        <p className="text-muted">{t('silent')}</p>
      ) : (
        <p className="max-w-[90ch] whitespace-pre-wrap [overflow-wrap:anywhere]">
          <span className="box-decoration-clone rounded-[3px] px-0.5" style={advantageStyle(advantage, largest)}>
            {text}
          </span>
        </p>
      )}
    </li>
  );
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-1.5">
      <dt className="text-muted [overflow-wrap:anywhere]">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function AdvantageLegend({ largest }: { largest: number }) {
  const t = useTranslations('answers');
  const format = useFormat();
  return (
    <span className="ml-auto flex flex-wrap items-center gap-2 text-[12px] text-muted">
      {t('colored')}
      <span className="flex overflow-hidden rounded-[3px] border border-line">
        {(largest === 0 ? [0] : [-largest, 0, largest]).map((advantage) => (
          <span key={advantage} className="figures px-1.5 text-ink" style={advantageStyle(advantage, largest)}>
            {advantage === 0 ? '0' : signed(advantage, format.number)}
          </span>
        ))}
      </span>
    </span>
  );
}

const signed = (value: number, number: (value: number) => string): string => `${value > 0 ? '+' : ''}${number(value)}`;

/** Green for better than the other answers to its prompt, red for worse. */
function advantageStyle(advantage: number, largest: number): { backgroundColor: string } {
  const share = largest === 0 ? 0 : Math.abs(advantage) / largest;
  return {
    backgroundColor: `color-mix(in oklab, var(--${advantage < 0 ? 'bad' : 'good'}) ${Math.round(35 * share)}%, transparent)`,
  };
}
