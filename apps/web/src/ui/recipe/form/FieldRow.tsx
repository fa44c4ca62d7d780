'use client';
import type { FormField } from '@anneal/core/protocol/recipeForm';
import { readValue, sourceOf } from '@anneal/core/recipe/edit';
import { useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useLocale } from '../../../i18n/locale.tsx';
import { useProblemText } from '../../../i18n/problems.tsx';
import { recipeKeys } from '../../../i18n/zhCN/recipeKeys.ts';
import { AgentWords } from '../../AgentWords.tsx';
import { CodeText } from '../../CodeText.tsx';
import { Explained } from '../../Explained.tsx';
import { Choice } from './Choice.tsx';
import type { ControlProps } from './control.ts';
import { isBelow, type Path, type Problem, useRecipeForm, valueAt } from './formContext.ts';
import { InText, linkClass } from './InText.tsx';
import { Items } from './Items.tsx';
import { Line } from './Line.tsx';
import { Prompts } from './Prompts.tsx';

/** One key: what it means, its value, and what is wrong with it. */
export function FieldRow({ field, path, order }: { field: FormField; path: Path; order: readonly string[] }) {
  const t = useTranslations('recipes');
  const locale = useLocale();
  const form = useRecipeForm();
  const id = useId();
  const [isRefused, setIsRefused] = useState(false);
  const written = readValue(form.parsed, path);
  const problems = form.problems.filter((problem) => isBelow(problem.path, path));
  const others = field.insteadOf.filter((other) => {
    const value = readValue(form.parsed, [...path.slice(0, -1), other])?.value;
    return value !== undefined && value !== null;
  });
  const known = valueAt(form.values, path);
  const standard = known === undefined ? field.standard : known;
  const props: ControlProps = {
    id,
    describedBy: problems.length > 0 ? `${id}-about ${id}-wrong` : `${id}-about`,
    isWrong: problems.length > 0,
    isReadOnly: form.isReadOnly,
    written,
    standard: standard === undefined ? undefined : standard === null ? t('unset') : sourceOf(standard),
    write: (source) => setIsRefused(!form.write(path, source, order)),
    remove: () => setIsRefused(written !== undefined && !form.remove(path)),
  };
  const text = (locale === 'zh-CN' && recipeKeys[field.key]) || field.description;
  return (
    <div className="grid gap-x-5 gap-y-1.5 border-line border-t py-3 first:border-t-0 @lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium font-mono text-[12.5px]">
          {field.key}
        </label>
        {field.isRequired && <span className="ml-2 text-[12px] text-muted">{t('required')}</span>}
        <p id={`${id}-about`} className="mt-0.5 text-[12.5px] text-muted leading-[1.45]">
          <Explained text={text} />
        </p>
      </div>
      <div className="grid min-w-0 content-start gap-1.5">
        <Control field={field} path={path} {...props} />
        {others.length > 0 && written?.value == null && (
          <p className="text-[12px] text-muted">{t('insteadOf', { keys: others.join(', ') })}</p>
        )}
        {problems.length > 0 && (
          <div id={`${id}-wrong`} className="grid gap-1.5">
            {problems.map((problem) => (
              <FieldProblem key={`${problem.path.join('.')} ${problem.what}`} problem={problem} order={order} />
            ))}
          </div>
        )}
        {isRefused && (
          <p role="alert" className="text-[12.5px] text-bad">
            {t('refused')} <InText path={path} />
          </p>
        )}
      </div>
    </div>
  );
}

function Control({ field, path, ...props }: { field: FormField; path: Path } & ControlProps) {
  const { control } = field;
  const value: unknown = props.written?.value;
  const isList = Array.isArray(value);
  const isSingle = typeof value !== 'object' || value === null;
  const isSimple = isList && value.every((item) => typeof item === 'string' || typeof item === 'number');
  switch (control.kind) {
    case 'choice':
      return isSingle ? <Choice {...props} options={control.options} /> : <Elsewhere {...props} path={path} />;
    case 'number':
    case 'text':
      return isSingle ? <Line {...props} control={control} /> : <Elsewhere {...props} path={path} />;
    case 'names':
    case 'numbers':
      return isSingle || isSimple ? <Line {...props} control={control} /> : <Elsewhere {...props} path={path} />;
    case 'texts':
    case 'prompts': {
      const List = control.kind === 'texts' ? Items : Prompts;
      // A single value is none of a list's: to add one to it would take it away.
      return value === undefined || value === null || isList ? (
        <List {...props} path={path} />
      ) : (
        <Elsewhere {...props} path={path} />
      );
    }
    default:
      return <Elsewhere {...props} path={path} />;
  }
}

/** A value that is more than the form can show. */
function Elsewhere({ id, written, path, describedBy, isReadOnly, write }: ControlProps & { path: Path }) {
  const t = useTranslations('recipes');
  const { show } = useRecipeForm();
  if (written) {
    return (
      <div className="flex min-w-0 items-start gap-2">
        <code className="min-w-0 grow truncate rounded-md bg-sunken px-2.5 py-1.5 font-mono text-[12px] text-muted">
          {written.source.split('\n')[0]}
          {written.source.includes('\n') && ' …'}
        </code>
        <InText id={id} path={path} />
      </div>
    );
  }
  return (
    <button
      id={id}
      type="button"
      disabled={isReadOnly}
      aria-describedby={describedBy}
      onClick={() => {
        write('{}');
        show(path);
      }}
      className={`justify-self-start ${linkClass}`}
    >
      {t('writeInText')}
    </button>
  );
}

/** What is wrong, and what mends it where one thing is likely. */
function FieldProblem({ problem, order }: { problem: Problem; order: readonly string[] }) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
  const { fix, path, removable = [] } = problem;
  const { what, next, said } = useProblemText()(problem);
  const source = readValue(form.parsed, path)?.source;
  const canMend = fix !== undefined && source !== undefined && !form.isReadOnly;
  return (
    <div className="text-[12.5px] leading-[1.45] [overflow-wrap:anywhere]">
      <span className="text-bad">
        <CodeText text={what} />
      </span>{' '}
      {next && (
        <span className="text-muted">
          <CodeText text={next} />
        </span>
      )}
      <AgentWords said={said} />
      {canMend && (
        <button type="button" className={`ml-2 ${linkClass}`} onClick={() => form.write(path, fix, order)}>
          {t('replaceBy', { fix })}
        </button>
      )}
      {!form.isReadOnly &&
        removable.map((key) => (
          <button key={key.join('.')} type="button" className={`ml-2 ${linkClass}`} onClick={() => form.remove(key)}>
            {t('removeKey', { key: key.join('.') })}
          </button>
        ))}
    </div>
  );
}
