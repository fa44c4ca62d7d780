'use client';
import type { ConversationAnswer } from '@anneal/core/protocol/conversations';
import { Wrench } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { Button } from '../Button.tsx';

type Call = ConversationAnswer['calls'][number];

/** With the result that it was given before. */
export type GivenCall = Call & { readonly result?: string };

/** A call of a tool, folded, and what the tool gave. */
export function FoldedCall({ call, result }: { call: Call; result?: string }) {
  const t = useTranslations('chat');
  const { name, arguments: given } = call.function;
  return (
    <details data-call={name} className="rounded-md bg-sunken px-3 py-1.5 text-[13px]">
      <summary className="text-muted">
        <Wrench className="mr-1.5 inline size-3.5 align-[-2px]" aria-hidden="true" />
        {t('calls', { name })}
      </summary>
      <Code label={t('callArguments')} text={indented(given)} />
      {result !== undefined && <Code label={t('callResult')} text={indented(result)} />}
    </details>
  );
}

function Code({ label, text }: { label: string; text: string }) {
  return (
    <div className="mt-1.5 grid gap-0.5">
      <span className="label">{label}</span>
      <pre className="whitespace-pre-wrap font-mono text-[12.5px] [overflow-wrap:anywhere]">{text}</pre>
    </div>
  );
}

/** What an answer said before, with its calls and what they gave. */
export function EarlierParts({ parts }: { parts: ConversationAnswer['earlier'] }) {
  return parts.map(({ text, calls }, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts keep their place
    <div key={at} className="grid gap-2">
      {text.trim() !== '' && <p className="max-w-[76ch] whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</p>}
      {calls.map(({ result, ...call }) => (
        <FoldedCall key={call.id} call={call} result={result} />
      ))}
    </div>
  ));
}

/** Asks what each called tool gives: Anneal runs none of them. */
export function ResultsForm({
  calls,
  isOff,
  onSend,
}: {
  calls: readonly GivenCall[];
  isOff: boolean;
  /** In the order of the calls. Tells whether they were taken. */
  onSend: (results: string[]) => Promise<boolean>;
}) {
  const t = useTranslations('chat');
  const id = useId();
  const [results, setResults] = useState<readonly string[]>(calls.map(({ result = '' }) => result));
  const [isSent, setSent] = useState(false);
  const canSend = !isOff && !isSent && results.every((result) => result.trim() !== '');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!canSend) return;
    setSent(true);
    setSent(await onSend([...results]));
  };
  return (
    <form onSubmit={submit} className="grid gap-2 rounded-md border border-line p-3">
      <p className="text-[12.5px] text-muted">{t('resultsText')}</p>
      {calls.map((call, at) => (
        <div key={call.id} className="grid gap-1">
          <label htmlFor={`${id}${at}`} className="label">
            {t('resultOf', { name: call.function.name, number: at + 1, count: calls.length })}
          </label>
          <textarea
            id={`${id}${at}`}
            rows={1}
            value={results[at]}
            onChange={({ target }) => setResults(results.map((other, index) => (index === at ? target.value : other)))}
            className="field-sizing-content max-h-60 min-h-8 w-full rounded-md border border-line bg-paper px-2.5 py-1 font-mono text-[12.5px]"
          />
        </div>
      ))}
      <Button type="submit" className="justify-self-start" disabled={!canSend}>
        {t('goOn')}
      </Button>
    </form>
  );
}

/** JSON is indented; anything else is as it was written. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
