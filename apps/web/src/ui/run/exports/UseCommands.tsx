'use client';
import type { StudioExport } from '@anneal/core/protocol/exports';
import { useTranslations } from 'use-intl';
import { useAbout } from '../../../agent/hooks.ts';
import { Command } from '../../Command.tsx';
import { quoted } from '../../quoted.ts';

/** The line with which another program takes up what was exported. */
export function UseCommands({ exported, baseModel }: { exported: StudioExport; baseModel: string | null }) {
  const t = useTranslations('exports');
  const about = useAbout();
  const path = quoted(about ? `${about.workspace}/${exported.key}` : exported.key);
  const name = quoted(exported.run?.id ?? 'tuned');
  const { title, text } = {
    gguf: { title: t('llama'), text: `llama-server -m ${path}` },
    ollama: { title: t('ollamaUse'), text: `ollama create ${name} -f ${path} && ollama run ${name}` },
    merged: { title: t('vllm'), text: `vllm serve ${path}` },
    lora: {
      title: t('vllm'),
      text: `vllm serve ${quoted(baseModel ?? 'BASE')} --enable-lora --lora-modules ${name}=${path}`,
    },
  }[exported.form];
  return (
    <div className="mt-2 grid grid-cols-[minmax(0,1fr)] gap-1">
      <span className="label">{title}</span>
      <Command>{text}</Command>
    </div>
  );
}
