'use client';
import type { ComponentProps } from 'react';

const looks = {
  plain: 'border-line bg-surface hover:border-faint',
  primary: 'border-transparent bg-ink text-paper hover:opacity-85',
  danger: 'border-bad/35 bg-surface text-bad hover:bg-bad-soft',
} as const;

const shape =
  'inline-flex h-8 items-center justify-center gap-1.5 whitespace-nowrap rounded-md border px-3 text-[13px] font-medium transition-colors disabled:cursor-default disabled:opacity-50';

export function buttonClass(look: keyof typeof looks = 'plain'): string {
  return `${shape} ${looks[look]}`;
}

export function Button({
  look = 'plain',
  className = '',
  ...props
}: ComponentProps<'button'> & { look?: keyof typeof looks }) {
  return <button type="button" {...props} className={`${buttonClass(look)} ${className}`} />;
}

export function IconButton({ label, className = '', ...props }: ComponentProps<'button'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...props}
      className={`inline-flex size-8 items-center justify-center rounded-md text-muted transition-colors hover:bg-sunken hover:text-ink disabled:opacity-50 ${className}`}
    />
  );
}
