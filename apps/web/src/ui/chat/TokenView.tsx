'use client';
import type { ShownToken } from '@anneal/core/protocol/conversations';
import { Fragment, type KeyboardEvent, useId, useState } from 'react';
import { useTranslations } from 'use-intl';

/** An answer token by token, shaded by how sure the model was, with what else it could have said. */
export function TokenView({
  tokens,
  parting,
  label,
}: {
  tokens: readonly ShownToken[];
  /** The first token in which the answers beside each other differ. */
  parting: number | null;
  label: string;
}) {
  const id = useId();
  const [chosen, setChosen] = useState(parting ?? 0);
  const [pointed, setPointed] = useState<number>();
  const shown = Math.min(pointed ?? chosen, tokens.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = { ArrowRight: chosen + 1, ArrowLeft: chosen - 1, Home: 0, End: tokens.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setPointed(undefined);
    setChosen(Math.max(0, Math.min(tokens.length - 1, next)));
  };
  return (
    <div className="grid gap-3">
      <div
        role="listbox"
        aria-label={label}
        aria-orientation="horizontal"
        aria-activedescendant={`${id}-${chosen}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onMouseLeave={() => setPointed(undefined)}
        className="whitespace-pre-wrap font-mono [font-variant-ligatures:none] text-[12.5px] leading-6 [overflow-wrap:anywhere]"
      >
        {tokens.map((token, index) => (
          <Fragment
            // Tokens keep their place.
            key={index}
          >
            <span
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === shown}
              onMouseEnter={() => setPointed(index)}
              onClick={() => setChosen(index)}
              style={{ backgroundColor: shadeOf(token.logprob) }}
              className={`cursor-default rounded-[3px] border-line border-r ${index === shown ? 'outline-2 outline-ink' : index === parting ? 'outline-2 outline-ember' : ''}`}
            >
              {visible(token.text)}
            </span>
            <wbr />
          </Fragment>
        ))}
      </div>
      {tokens[shown] && <Alternatives token={tokens[shown]} number={shown + 1} isParting={shown === parting} />}
    </div>
  );
}

function Alternatives({ token, number, isParting }: { token: ShownToken; number: number; isParting: boolean }) {
  const t = useTranslations('chat');
  const others = token.top.some(({ id }) => id === token.id) ? token.top : [...token.top, token];
  return (
    <div className="grid gap-1.5 rounded-md bg-sunken px-3 py-2">
      <p className="figures text-[12px] text-muted">
        {t('tokenNumber', { number, id: token.id })}
        {isParting && <span className="font-medium text-ember"> · {t('partsHere')}</span>}
      </p>
      <ol className="grid gap-0.5">
        {others.map(({ id, text, logprob }) => {
          const share = Math.exp(logprob);
          return (
            <li key={id} className="grid grid-cols-[minmax(0,8rem)_1fr_4rem] items-center gap-2 text-[12.5px]">
              <span
                className={`truncate font-mono [font-variant-ligatures:none] ${id === token.id ? 'font-semibold' : 'text-muted'}`}
              >
                {visible(text)}
              </span>
              <span className="h-1.5 rounded-full bg-line" aria-hidden="true">
                <span
                  className={`block h-full rounded-full ${id === token.id ? 'bg-ember' : 'bg-faint'}`}
                  style={{ width: `${100 * share}%` }}
                />
              </span>
              <span className="figures whitespace-nowrap text-right text-muted">{percentOf(share)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** White space is seen, and ends a line where it does so. */
function visible(text: string): string {
  return text.replaceAll('\n', '⏎\n').replaceAll('\t', '→').replaceAll(/^ | $/g, '␣') || '∅';
}

/** The less likely, the more. */
function shadeOf(logprob: number): string {
  const doubt = Math.min(1, -logprob / 4);
  return `color-mix(in oklab, var(--ember) ${Math.round(40 * doubt)}%, transparent)`;
}

function percentOf(share: number): string {
  if (share > 0 && share < 0.001) return '<0.1 %';
  return `${(100 * share).toFixed(1)} %`;
}
