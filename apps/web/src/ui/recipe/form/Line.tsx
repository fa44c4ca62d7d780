'use client';
import type { FormControl } from '@anneal/core/protocol/recipeForm';
import { sourceOf, type WrittenValue } from '@anneal/core/recipe/edit';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { type ControlProps, controlClass } from './control.ts';
import { useRecipeForm } from './formContext.ts';

/** A number, a text, or names with commas between them. The text of the recipe follows each key that is pressed. */
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
  const value = shownValue(written, control.kind);
  // Names are read anew after each comma, which would take it away.
  const [draft, setDraft] = useState<{ text: string; value: string }>();
  const change = (text: string) => {
    if (text.trim() === '') {
      if (written) write('null');
    } else write(sourceFor(text, control.kind, written?.source));
    setDraft({ text, value: valueOf(text, control.kind) });
  };
  const shown = draft && draft.value === value ? draft.text : value;
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

function shownValue(written: WrittenValue | undefined, kind: FormControl['kind']): string {
  const { value, source = '' } = written ?? {};
  if (value === undefined || value === null) return '';
  if (kind === 'names' && Array.isArray(value)) return value.join(', ');
  // A number is shown as it was written: 2e-4.
  return typeof value === 'string' ? value : source;
}

const namesIn = (text: string): string[] =>
  text
    .split(/[,，、]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** What will be shown of it once it is written. */
function valueOf(text: string, kind: FormControl['kind']): string {
  if (text.trim() === '') return '';
  return kind === 'names' ? namesIn(text).join(', ') : text;
}

function sourceFor(text: string, kind: FormControl['kind'], before: string | undefined): string {
  if (kind === 'names') return sourceOf(namesIn(text));
  // What is no number yet stays as it is typed; the check says so.
  if (kind === 'number' && /^[\w.+-]+$/.test(text)) return text;
  return sourceOf(text, before);
}
