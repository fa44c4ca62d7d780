'use client';
import { memo, useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { shadeStyle, spelled, type TextToken, type TokenBlock, visible } from './shownTokens.ts';

export type TokenForm = 'text' | 'tokens' | 'ids';

/** Of a token that another reading of the row does not have. */
export const differingLook = 'underline decoration-warn decoration-wavy underline-offset-4';
const none: ReadonlySet<number> = new Set();

interface TokenTextProps {
  blocks: readonly TokenBlock<TextToken>[];
  /** Where another row is listed beside it. */
  label?: string;
  idPrefix?: string;
  /** The places of tokens that are marked as differing. */
  differing?: ReadonlySet<number> | undefined;
  form: TokenForm;
  showsSpace: boolean;
  /** Nothing of the row is trained. */
  isDropped: boolean;
  chosen: number | null;
  onPoint: (token: number | null) => void;
  onChoose: (token: number) => void;
}

/** A row's tokens in blocks, one for each message: what is trained is marked, and each can be pointed at. */
export function TokenText({
  blocks,
  label,
  idPrefix = 'token',
  differing = none,
  form,
  showsSpace,
  isDropped,
  chosen,
  onPoint,
  onChoose,
}: TokenTextProps) {
  const t = useTranslations('dataRow');
  return (
    <div
      role="listbox"
      tabIndex={0}
      aria-label={label ?? t('list')}
      aria-activedescendant={chosen === null ? undefined : `${idPrefix}-${chosen}`}
      onMouseOver={(event) => onPoint(indexOf(event.target))}
      onFocus={() => onPoint(null)}
      onMouseLeave={() => onPoint(null)}
      onClick={(event) => {
        const token = indexOf(event.target);
        if (token !== null) onChoose(token);
      }}
      className="isolate grid gap-1 rounded-lg [font-variant-ligatures:none] border border-line bg-surface py-2"
    >
      {blocks.map((block) => (
        <div
          key={block.tokens[0]?.index}
          role="group"
          aria-label={block.role ?? t('template')}
          className="grid gap-x-4 px-4 py-1 sm:grid-cols-[5.5rem_minmax(0,1fr)]"
        >
          <span className="label pt-[3px] font-medium sm:text-right" aria-hidden="true">
            {block.role ?? t('template')}
          </span>
          <div
            className={`min-w-0 whitespace-pre-wrap font-mono text-[13px] [overflow-wrap:anywhere] ${form === 'text' ? 'leading-6' : 'flex flex-wrap gap-x-1 gap-y-1.5 leading-5'}`}
          >
            {block.tokens.map((token) => (
              <Token
                key={token.index}
                token={token}
                id={`${idPrefix}-${token.index}`}
                differs={differing.has(token.index)}
                form={form}
                showsSpace={showsSpace}
                isTrained={token.target && !token.isCut && !isDropped}
                wouldBe={token.target && (token.isCut || isDropped)}
                isChosen={token.index === chosen}
              />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

function indexOf(target: EventTarget): number | null {
  const token = (target as HTMLElement).closest<HTMLElement>('[data-token]')?.dataset['token'];
  return token === undefined ? null : Number(token);
}

interface TokenProps {
  token: TextToken;
  id: string;
  differs: boolean;
  form: TokenForm;
  showsSpace: boolean;
  isTrained: boolean;
  wouldBe: boolean;
  isChosen: boolean;
}

const Token = memo(function Token({ token, id, differs, form, showsSpace, isTrained, wouldBe, isChosen }: TokenProps) {
  const look =
    token.shade !== undefined
      ? 'rounded-[2px] text-ink'
      : isTrained
        ? 'bg-ember-soft text-ink [box-shadow:inset_0_-2px_0_0_var(--ember)]'
        : wouldBe
          ? 'text-muted [box-shadow:inset_0_-2px_0_0_var(--faint)]'
          : token.isControl
            ? 'text-teal'
            : 'text-muted';
  const box = form === 'text' ? '' : 'rounded-[3px] border border-line px-1 whitespace-pre';
  const element = useRef<HTMLSpanElement>(null);
  // Chosen by a key or by the address, it may be out of sight, or below what is said of it.
  useEffect(() => {
    if (isChosen && !element.current?.matches(':hover')) element.current?.scrollIntoView({ block: 'nearest' });
  }, [isChosen]);
  return (
    <span
      ref={element}
      id={id}
      data-token={token.index}
      data-trained={isTrained || undefined}
      data-differs={differs || undefined}
      role="option"
      aria-selected={isChosen}
      aria-label={token.part.trim() === '' ? spelled(token) : undefined}
      style={token.shade === undefined ? undefined : shadeStyle(token.shade)}
      className={`${look} ${box} scroll-mt-16 scroll-mb-[45dvh] ${differs ? differingLook : ''} hover:outline-1 hover:outline-faint ${isChosen ? 'relative z-10 rounded-[2px] outline-2! outline-ember!' : ''}`}
    >
      {form === 'ids'
        ? token.id
        : form === 'tokens'
          ? spelled(token)
          : visible(token.part || (token.isControl ? token.text : ''), showsSpace)}
    </span>
  );
});
