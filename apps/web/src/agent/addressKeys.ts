/** What may stand in the address of each screen, so that anything else is said and not passed over. */
import { otherTemplates } from '@anneal/core/protocol/otherTemplates';
import { ROW_FILTERS } from '@anneal/core/protocol/rowVerdicts';
import { parseAsString, parseAsStringLiteral } from 'nuqs';
import { xAxes } from '../ui/charts/xAxis.ts';
import { answerViews, recipeViews, rowAnswers, rowForms, runTabs, seedViews } from './addressValues.ts';
import { pullKeys } from './pullAddress.ts';

type Keys = Readonly<Record<string, { parse(text: string): unknown }>>;

const text = parseAsString;
const yesOrNo = parseAsStringLiteral(['true', 'false']);
// The parsers of nuqs take `3x` and `3.5` for 3.
const matching = (form: RegExp) => ({ parse: (written: string) => (form.test(written) ? Number(written) : null) });
const whole = matching(/^\d+$/);
const number = matching(/^\d+(\.\d+)?$/);
const token = { document: whole, token: whole };

export const addressKeys: Readonly<Record<string, Keys>> = {
  '/': { q: text, tag: text, deleted: text },
  '/recipes': {
    recipe: text,
    view: parseAsStringLiteral(recipeViews),
    change: text,
    run: text,
    batches: yesOrNo,
    batch: whole,
    ...token,
  },
  '/data': {
    recipe: text,
    file: text,
    hub: text,
    model: text,
    mapping: text,
    q: text,
    ...pullKeys,
    row: whole,
    verdict: parseAsStringLiteral(ROW_FILTERS),
    token: whole,
    length: whole,
    show: parseAsStringLiteral(rowForms),
    space: yesOrNo,
    answer: parseAsStringLiteral(rowAnswers),
    template: parseAsStringLiteral(otherTemplates),
    tokenizer: text,
  },
  '/chat': { id: text, models: text, view: parseAsStringLiteral(answerViews) },
  '/models': pullKeys,
  '/host': {},
  '/settings': {},
  '/run': {
    id: text,
    from: whole,
    to: whole,
    smoothing: number,
    x: parseAsStringLiteral(xAxes),
    tab: parseAsStringLiteral(runTabs),
    step: whole,
    ...token,
    checkpoint: text,
    forms: text,
    check: yesOrNo,
  },
  '/compare': {
    runs: text,
    baseline: text,
    x: parseAsStringLiteral(xAxes),
    seeds: parseAsStringLiteral(seedViews),
  },
};

/** The parts of an address that its screen does not know, as they stand there. */
export function unknownParts(path: string, query: URLSearchParams): { key: string; part: string }[] {
  const known = addressKeys[path];
  if (!known) return [];
  return [...query]
    .filter(([key, value]) => !Object.hasOwn(known, key) || known[key]?.parse(value) === null)
    .map(([key, value]) => ({ key, part: value === '' ? key : `${key}=${value}` }));
}
