import { basename, join, relative } from 'node:path';
import { ggufFileName } from '@anneal/core/export/gguf';
import { type GgufType, takesImportance } from '@anneal/core/export/ggufTypes';
import type { ExportEntry, ExportedForm } from '@anneal/core/protocol/exports';
import type { ModelSource } from '../models/source.ts';

type FormEntry = Pick<ExportEntry, 'form' | 'type' | 'path' | 'files' | 'warnings' | 'imatrix'>;

interface Types {
  readonly merged?: string | undefined;
  readonly types: readonly GgufType[];
  readonly adapterScale: number;
  readonly imatrix: boolean;
  readonly imatrixTokens: number;
  readonly imatrixFile?: string | undefined;
}

/** What the record of `target` says of these forms, each GGUF file on its own. */
export function entriesOf(
  forms: readonly ExportedForm[],
  target: string,
  { name, run }: ModelSource,
  wanted: Types,
): ExportEntry[] {
  const origin = run && { id: basename(run.path), step: run.checkpoint.step };
  const created = new Date().toISOString();
  const scale = wanted.adapterScale === 1 ? {} : { adapterScale: wanted.adapterScale };
  return forms
    .flatMap((form) => formEntries(form, target, name, wanted))
    .map((entry) => ({ ...entry, ...scale, run: origin, created, parity: null }));
}

function formEntries({ form, path, files, warnings }: ExportedForm, target: string, name: string, wanted: Types) {
  const below = (file: string) => relative(target, file).replaceAll('\\', '/');
  const all = files.map((file) => ({ path: below(file.path), bytes: file.bytes }));
  if (form !== 'gguf') {
    const type = form === 'merged' ? (wanted.merged ?? null) : null;
    return [{ form, type, path: below(path), files: all, warnings: [...warnings] } satisfies FormEntry];
  }
  return wanted.types.map((type): FormEntry => {
    const file = below(join(path, ggufFileName(name, type)));
    const entry = {
      form,
      type,
      path: file,
      files: all.filter((one) => one.path === file),
      warnings: warnings.filter((warning) => speaksOf(type, warning, wanted.types)),
    };
    return takesImportance(type) ? { ...entry, ...importanceOf(wanted) } : entry;
  });
}

/** What is said of one type begins with its name. */
function speaksOf(type: GgufType, warning: string, types: readonly GgufType[]): boolean {
  const first = /^\w+/.exec(warning)?.[0].toLowerCase();
  return first === type || !types.some((other) => other === first);
}

function importanceOf({ imatrix, imatrixTokens, imatrixFile }: Types): Pick<ExportEntry, 'imatrix'> {
  if (imatrixFile !== undefined) return { imatrix: { file: basename(imatrixFile), tokens: null } };
  return imatrix ? { imatrix: { file: null, tokens: imatrixTokens } } : {};
}
