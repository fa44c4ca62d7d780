'use client';
import type { ColumnMapping, FoundColumn, ProposedMapping } from '@anneal/core/protocol/columns';
import type { DataSourceName } from '@anneal/core/protocol/dataView';
import { useQuery } from '@tanstack/react-query';
import { parseAsString, useQueryState } from 'nuqs';
import { useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { fromAddress, toAddress } from './mappingText.ts';
import { UseMapping } from './UseMapping.tsx';

/** How the columns of a file, or of the rows of a hub, are read: as proposed, or as chosen here. The rows are shown as they are read so. */
export function Mapping({ name, isUnreadable }: { name: DataSourceName; isUnreadable: boolean }) {
  const t = useTranslations('mapping');
  const enabled = useHasSocket();
  const [address, setAddress] = useQueryState('mapping', parseAsString);
  const [wish, setWish] = useState<boolean>();
  const isOpen = wish ?? (isUnreadable || address !== null);
  const { data, error } = useQuery({
    queryKey: ['data-columns', name.file, name.hub, name.model],
    queryFn: () => agent().data.columns.query({ ...name, mapping: null }),
    enabled: enabled && isOpen,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const proposal = data?.mapping;
  useEffect(() => {
    if (isUnreadable && address === null && proposal) void setAddress(toAddress(proposal));
  }, [isUnreadable, address, proposal, setAddress]);
  return (
    <details
      open={isOpen}
      onToggle={({ currentTarget }) => setWish(currentTarget.open)}
      className="rounded-lg border border-line bg-surface px-4 py-3 text-[13px]"
    >
      <summary className="font-medium">{t('title')}</summary>
      {error && <ErrorNote error={shownError(error)} />}
      {data && (
        <Opened
          found={data}
          name={name}
          address={address}
          onChange={(mapping) => void setAddress(toAddress(mapping))}
        />
      )}
    </details>
  );
}

function Opened({
  found,
  name,
  address,
  onChange,
}: {
  found: ProposedMapping;
  name: DataSourceName;
  address: string | null;
  onChange: (mapping: ColumnMapping) => void;
}) {
  const t = useTranslations('mapping');
  const { columns, mapping: proposal, isKnown } = found;
  const chosen = address === null ? proposal : fromAddress(address);
  return (
    <div className="mt-3 grid gap-3">
      <p className="text-muted">{t(isKnown ? 'known' : proposal ? 'proposed' : 'unknown')}</p>
      {address !== null && !chosen ? (
        <p className="text-muted">{t('byHand')}</p>
      ) : (
        <Fields columns={columns} mapping={chosen ?? emptyMapping(found)} onChange={onChange} />
      )}
      <Columns columns={columns} />
      {chosen && <UseMapping name={name} mapping={chosen} />}
    </div>
  );
}

const emptyMapping = ({ columns }: ProposedMapping): ColumnMapping => ({
  type: 'completion',
  field: columns[0]?.name ?? '',
});

const types = ['chat_template', 'sharegpt', 'alpaca', 'completion'] as const;
const select = 'h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px]';

function Fields({
  columns,
  mapping,
  onChange,
}: {
  columns: readonly FoundColumn[];
  mapping: ColumnMapping;
  onChange: (mapping: ColumnMapping) => void;
}) {
  const t = useTranslations('mapping');
  const names = columns.map(({ name }) => name);
  const { type, message_property_mappings: parts } = mapping;
  const properties = columns.find(({ name }) => name === mapping.field_messages)?.properties ?? [];
  type Key = 'field_messages' | 'field_instruction' | 'field_input' | 'field_output' | 'field_system' | 'field';
  const field = (key: Key, isOptional = false) => (
    <Choice
      label={t(`fields.${key}`)}
      options={names}
      value={mapping[key] ?? ''}
      none={isOptional ? t('none') : undefined}
      onChange={(value) => {
        const { [key]: _, ...rest } = mapping;
        onChange(value === '' ? rest : { ...rest, [key]: value });
      }}
    />
  );
  const part = (key: 'role' | 'content') => (
    <Choice
      label={t(`parts.${key}`)}
      options={properties}
      value={parts?.[key] ?? ''}
      none={parts ? undefined : t('usual')}
      onChange={(value) =>
        onChange({
          ...mapping,
          message_property_mappings: { role: 'role', content: 'content', ...parts, [key]: value },
        })
      }
    />
  );
  return (
    <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
      <label className="grid gap-1">
        <span className="label">{t('type')}</span>
        <select
          value={type}
          onChange={({ target }) => onChange(begin(target.value as ColumnMapping['type'], names))}
          className={select}
        >
          {types.map((each) => (
            <option key={each} value={each}>
              {t(`types.${each}`)}
            </option>
          ))}
        </select>
      </label>
      {(type === 'chat_template' || type === 'sharegpt') && (
        <>
          {field('field_messages')}
          {type === 'chat_template' && properties.length > 0 && (
            <>
              {part('role')}
              {part('content')}
            </>
          )}
        </>
      )}
      {type === 'alpaca' && (
        <>
          {field('field_instruction')}
          {field('field_output')}
          {field('field_input', true)}
          {field('field_system', true)}
        </>
      )}
      {type === 'completion' && field('field')}
    </div>
  );
}

/** Another type begins with the first columns, which are there to be changed. */
function begin(type: ColumnMapping['type'], [first = '', second = first]: readonly string[]): ColumnMapping {
  if (type === 'alpaca') return { type, field_instruction: first, field_output: second };
  return type === 'completion' ? { type, field: first } : { type, field_messages: first };
}

function Choice({
  label,
  options,
  value,
  none,
  onChange,
}: {
  label: string;
  options: readonly string[];
  value: string;
  /** What no choice is called; undefined where there has to be one. */
  none: string | undefined;
  onChange: (value: string) => void;
}) {
  const shown = value === '' || options.includes(value) ? options : [value, ...options];
  return (
    <label className="grid min-w-0 gap-1">
      <span className="label">{label}</span>
      <select value={value} onChange={({ target }) => onChange(target.value)} className={select}>
        {none !== undefined && <option value="">{none}</option>}
        {shown.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

function Columns({ columns }: { columns: readonly FoundColumn[] }) {
  const t = useTranslations('mapping');
  const format = useFormat();
  return (
    <div className="overflow-x-auto" tabIndex={0}>
      <table className="w-full text-left text-[12.5px]">
        <thead className="text-muted">
          <tr>
            <th className="py-1 pr-4 font-normal">{t('column')}</th>
            <th className="py-1 pr-4 font-normal">{t('kind')}</th>
            <th className="whitespace-nowrap py-1 pr-4 text-right font-normal">{t('filled')}</th>
            <th className="w-full py-1 font-normal">{t('example')}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map(({ name, kind, filled, example }) => (
            <tr key={name} className="border-line border-t">
              <th scope="row" className="whitespace-nowrap py-1 pr-4 font-mono font-normal">
                {name}
              </th>
              <td className="whitespace-nowrap py-1 pr-4">{t(`kinds.${kind}`)}</td>
              <td className="figures whitespace-nowrap py-1 pr-4 text-right">{format.percent(filled)} %</td>
              <td className="max-w-0 truncate py-1 text-muted">{example}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
