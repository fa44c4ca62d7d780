'use client';
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { IconButton } from './Button.tsx';

/** A command to type elsewhere, or to copy. */
export function Command({ children }: { children: string }) {
  const t = useTranslations('error');
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(children);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <div className="flex max-w-full items-center gap-1 rounded-md border border-line bg-sunken py-0.5 pr-0.5 pl-3 text-ink">
      <code tabIndex={0} className="grow overflow-x-auto whitespace-nowrap text-left font-mono text-[12.5px]">
        {children}
      </code>
      <IconButton label={copied ? t('copied') : t('copy')} onClick={copy} className="size-7 shrink-0">
        {copied ? <Check className="size-3.5" /> : <Copy className="size-3.5" />}
      </IconButton>
    </div>
  );
}
