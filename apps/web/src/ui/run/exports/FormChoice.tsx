'use client';
import { type ReactNode, useId } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../../format.ts';

/** A form that can be chosen, what it is for, and how large it would be. */
export function FormChoice({
  name,
  hint,
  bytes,
  checked,
  disabled = false,
  isThere = false,
  onChange,
  children,
}: {
  name: string;
  hint: string;
  /** null where there is nothing to say. */
  bytes: number | null;
  checked: boolean;
  disabled?: boolean;
  /** It was exported there before. */
  isThere?: boolean;
  /** Without it the form cannot be chosen. */
  onChange?: (checked: boolean) => void;
  children?: ReactNode;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  const id = useId();
  const isOff = disabled || isThere || !onChange;
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)] items-start gap-x-2.5 py-1">
      <input
        id={id}
        type="checkbox"
        aria-describedby={`${id}-hint`}
        className="mt-1 accent-ember"
        checked={checked}
        disabled={isOff}
        onChange={(event) => onChange?.(event.target.checked)}
      />
      <div className="grid gap-0.5">
        <label htmlFor={id} className={`flex items-baseline gap-3 ${isOff ? 'text-muted' : 'cursor-pointer'}`}>
          <span className="font-medium text-[13px]">{name}</span>
          <span className="figures ml-auto text-[12.5px] text-muted">
            {isThere ? t('there') : bytes !== null && format.bytes(bytes)}
          </span>
        </label>
        <p id={`${id}-hint`} className="text-[12.5px] text-muted leading-[1.45]">
          {hint}
        </p>
        {children && <div className="mt-1.5 mb-1">{children}</div>}
      </div>
    </div>
  );
}
