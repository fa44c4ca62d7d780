/** What takes room, and giving it back. */
import { UserError } from '@anneal/core/errors';
import type { StorageItem } from '@anneal/core/protocol/storage';
import { removedElsewhere, storageKinds } from '@anneal/core/protocol/storageKinds';
import { exitCodes } from '../exitCodes.ts';
import { print, printJson } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { formatTable } from '../terminal/table.ts';
import { formatBytes } from '../units.ts';
import type { StorageOptions } from './storage.ts';
import { useCase } from './useCases.ts';

export async function ls({ folder, json, all }: StorageOptions & { all?: boolean }): Promise<void> {
  const survey = await (await useCase('surveyStorage'))(folder);
  if (json) return printJson(survey);
  print(all ? itemsOf(survey.items) : kindsOf(survey.items));
  print(`${formatBytes(survey.free)} are free`);
}

export async function clean(
  what: readonly string[],
  { folder, json, yes }: StorageOptions & { yes?: boolean },
): Promise<void> {
  const { items } = await (await useCase('surveyStorage'))(folder);
  const chosen = what.flatMap((name) => itemsNamed(items, name));
  if (!yes) {
    throw new UserError({
      what: `this would free ${formatBytes(sumOf(chosen))}: ${chosen.length} ${chosen.length === 1 ? 'item' : 'items'}`,
      where: folder,
      next: 'nothing was removed; add --yes to do it',
      code: 'confirmation_needed',
    });
  }
  if (chosen.length === 0) return json ? printJson({ freed: 0, removed: [], kept: [] }) : print('nothing to remove');
  const ids = chosen.map(({ id }) => id);
  const cleaned = await (await useCase('cleanStorage'))(folder, ids);
  if (cleaned.kept.length > 0) process.exitCode = exitCodes.failed;
  if (json) return printJson(cleaned);
  print(`freed ${formatBytes(cleaned.freed)}`);
  for (const { error } of cleaned.kept) printError(error, { json: false });
}

/** All of a kind that may go, or one item. @throws UserError `storage_item_unknown` */
function itemsNamed(items: readonly StorageItem[], name: string): StorageItem[] {
  if (storageKinds.some((kind) => kind === name && !removedElsewhere.has(kind))) {
    return items.filter(({ kind, removable }) => kind === name && removable);
  }
  const one = items.find(({ id }) => id === name);
  if (one) return [one];
  throw new UserError({
    what: 'this is no kind and no item that could be removed',
    where: name,
    next: 'see `anneal storage ls --all`; runs go by `anneal runs rm`, exports by `anneal exports rm`',
    code: 'storage_item_unknown',
  });
}

function kindsOf(items: readonly StorageItem[]): string {
  const rows = storageKinds.map((kind) => {
    const all = items.filter((item) => item.kind === kind);
    return [kind, String(all.length), formatBytes(sumOf(all)), formatBytes(sumOf(all.filter((one) => one.removable)))];
  });
  const right = { align: 'right' } as const;
  return formatTable(
    [{ title: 'WHAT' }, { title: 'ITEMS', ...right }, { title: 'SIZE', ...right }, { title: 'CAN GO', ...right }],
    rows,
  );
}

function itemsOf(items: readonly StorageItem[]): string {
  return formatTable(
    [{ title: 'SIZE', align: 'right' }, { title: 'CAN GO' }, { title: 'ITEM' }],
    items.map(({ id, bytes, removable }) => [formatBytes(bytes), removable ? 'yes' : 'no', id]),
  );
}

const sumOf = (items: readonly StorageItem[]): number => items.reduce((sum, { bytes }) => sum + bytes, 0);
