/** What is chosen to be exported, as it stands in the address: `lora`, `merged-bf16`, a GGUF type, `imatrix`, `ollama`. */

import type { ExportRequest, StudioExport, StudioExportPlan } from '@anneal/core/protocol/exports';
import { MERGED_TYPES, type MergedType } from '@anneal/core/protocol/mergedTypes';
import { quoted } from '../../quoted.ts';

type GgufType = NonNullable<ExportRequest['gguf']>[number];

export interface Chosen {
  lora: boolean;
  merged: MergedType | null;
  gguf: readonly GgufType[];
  /** They are quantized by an importance matrix. */
  imatrix: boolean;
  ollama: boolean;
}

/** The forms that lie in the folder already, which an export never replaces: `lora`, `merged`, GGUF types, `ollama`. */
export function thereIn(folder: string, exports: readonly StudioExport[]): ReadonlySet<string> {
  const inside = exports.filter(({ key, path }) => key === `${folder}/${path}`);
  return new Set(inside.map(({ form, type }) => (form === 'gguf' ? (type ?? form) : form)));
}

/** Of the words those that this model can be exported as, and that are not there yet. */
export function chosenOf(words: readonly string[] | null, plan: StudioExportPlan, there: ReadonlySet<string>): Chosen {
  const wanted = new Set((words ?? ['lora', 'q8_0', 'ollama']).filter((word) => !there.has(word)));
  const types = Object.keys(plan.gguf ?? {}) as GgufType[];
  const gguf = types.filter((type) => wanted.has(type));
  return {
    lora: plan.lora !== null && wanted.has('lora'),
    merged: there.has('merged') ? null : (mergedTypesOf(plan).find((type) => wanted.has(`merged-${type}`)) ?? null),
    gguf,
    imatrix: wanted.has('imatrix') && takesImatrix(gguf, plan),
    ollama: gguf.length > 0 && wanted.has('ollama'),
  };
}

export function takesImatrix(types: readonly GgufType[], plan: StudioExportPlan): boolean {
  return types.some((type) => plan.imatrix.includes(type));
}

/** Those that this model can be written in. */
export function mergedTypesOf({ merged }: StudioExportPlan): MergedType[] {
  return MERGED_TYPES.filter((type) => merged[type] !== undefined);
}

export function wordsOf({ lora, merged, gguf, imatrix, ollama }: Chosen): string[] {
  return [
    ...(lora ? ['lora'] : []),
    ...(merged ? [`merged-${merged}`] : []),
    ...gguf,
    ...(imatrix ? ['imatrix'] : []),
    ...(ollama ? ['ollama'] : []),
  ];
}

export function bytesOf({ lora, merged, gguf }: Chosen, plan: StudioExportPlan): number {
  const files = gguf.reduce((sum, type) => sum + (plan.gguf?.[type] ?? 0), 0);
  return (lora ? (plan.lora ?? 0) : 0) + (merged ? (plan.merged[merged] ?? 0) : 0) + files;
}

interface ExportCommand {
  /** What is typed to call it. */
  anneal: string;
  run: string;
  checkpoint: string | null;
  to: string | null;
  check: boolean;
}

/** The same on the command line. */
export function commandFor(
  { lora, merged, gguf, imatrix, ollama }: Chosen,
  { anneal, run, checkpoint, to, check }: ExportCommand,
): string {
  const parts = [
    `${anneal} export ${quoted(run)}`,
    checkpoint === null ? '' : `--checkpoint ${checkpoint}`,
    lora ? '--lora' : '',
    merged ? `--merged ${merged}` : '',
    gguf.length > 0 ? `--gguf ${gguf.join(',')}` : '',
    imatrix ? '--imatrix' : '',
    ollama ? '--ollama' : '',
    to === null ? '' : `--to ${quoted(to)}`,
    check ? '--check' : '',
  ];
  return parts.filter(Boolean).join(' ');
}

/** GGUF files go together: the folder is named. */
export function pushCommand(
  { form, key }: StudioExport,
  { anneal, to, public: isPublic, replace }: { anneal: string; to: string; public: boolean; replace: boolean },
): string {
  const path = form === 'gguf' || form === 'ollama' ? key.replace(/\/[^/]*$/, '') : key;
  const flags = `${isPublic ? ' --public' : ''}${replace ? ' --replace' : ''}`;
  return `${anneal} push ${quoted(path)} --to ${quoted(to || 'owner/name')}${flags}`;
}
