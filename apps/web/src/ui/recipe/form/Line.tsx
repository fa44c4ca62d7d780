'use client';
import type { FormControl } from '@anneal/core/protocol/recipeForm';
import { sourceOf, type WrittenValue } from '@anneal/core/recipe/edit';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { type ControlProps, controlClass } from './control.ts';
import { useRecipeForm } from './formContext.ts';

/** A number, a text, or names or numbers with commas between them. The text of the recipe follows each key that is pressed. */
export function Line({
  id,
  describedBy,
  isWrong,
  isReadOnly,
  written,
  standard,
  write,
  remove,
  control,
}: ControlProps & { control: FormControl }) {
  const t = useTranslations('recipes');
  const { endStep } = useRecipeForm();
  const value = valueOfWritten(written, control.kind);
  // A list is read anew after each comma, which would take it away.
  const [draft, setDraft] = useState<{ text: string; value: string }>();
  const change = (text: string) => {
    if (text.trim() === '') {
      if (written) write('null');
    } else write(sourceFor(text, control.kind, written?.source));
    setDraft({ text, value: valueOf(text, control.kind) });
  };
  const shown = draft && draft.value === value ? draft.text : shownText(written, value);
  const bounds = control.kind === 'number' ? control.bounds.join(' · ') : '';
  return (
    <div className="flex items-center gap-2.5">
      <input
        id={id}
        value={shown}
        readOnly={isReadOnly}
        inputMode={control.kind === 'number' ? 'decimal' : undefined}
        placeholder={standard?.replace(/^\[(.*)\]$/, '$1')}
        aria-describedby={describedBy}
        aria-invalid={isWrong}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        onFocus={endStep}
        onChange={({ target }) => change(target.value)}
        onBlur={() => {
          setDraft(undefined);
          if (written && written.value === null) remove();
        }}
        className={`${controlClass} ${control.kind === 'number' ? 'max-w-36' : ''}`}
      />
      {control.kind === 'number' && (
        <span className="text-[12px] text-muted">
          {t(control.isWhole ? 'wholeNumber' : 'number')} {bounds}
        </span>
      )}
    </div>
  );
}

/** To compare with what is typed, of which `0.` and `0` are the same. */
function valueOfWritten(written: WrittenValue | undefined, kind: FormControl['kind']): string {
  const { value, source = '' } = written ?? {};
  if (value === undefined || value === null) return '';
  if (isList(kind) && Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : source;
}

/** Numbers are shown as they were written: 2e-4. */
function shownText(written: WrittenValue | undefined, value: string): string {
  const { value: list, source = '' } = written ?? {};
  const isOneLine =
    Array.isArray(list) && list.every((item) => typeof item === 'number') && /^\[[^\n#]*\]$/.test(source);
  return isOneLine ? source.slice(1, -1).trim() : value;
}

const isList = (kind: FormControl['kind']): boolean => kind === 'names' || kind === 'numbers';

const itemsIn = (text: string): string[] =>
  text
    .split(/[,，、]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** What will be shown of it once it is written. */
function valueOf(text: string, kind: FormControl['kind']): string {
  if (text.trim() === '') return '';
  if (!isList(kind)) return text;
  const items = itemsIn(text);
  return (kind === 'numbers' ? items.map(plainNumber) : items).join(', ');
}

function sourceFor(text: string, kind: FormControl['kind'], before: string | undefined): string {
  if (kind === 'names') return sourceOf(itemsIn(text));
  if (kind === 'numbers')
    return `[${itemsIn(text)
      .map((item) => numberSource(item))
      .join(', ')}]`;
  return kind === 'number' ? numberSource(text, before) : sourceOf(text, before);
}

const plainNumber = (text: string): string => (Number.isNaN(Number(text)) ? text : String(Number(text)));

/** What is no number yet stays as it is typed; the check says so. */
const numberSource = (text: string, before?: string): string =>
  /^[\w.+-]+$/.test(text) ? text : sourceOf(text, before);
