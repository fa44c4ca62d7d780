import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

/**
 * A value of a table without the nulls that Arrow put into it: every struct of a column has every field, so that a field which a row
 * did not write is null there. Nulls in lists, maps and columns of JSON were written.
 */
export function withoutFilledNulls(value: unknown, type: DuckDBType): unknown {
  if (value === null) return null;
  switch (type.typeId) {
    case DuckDBTypeId.STRUCT: {
      const fields = value as Readonly<Record<string, unknown>>;
      const written = type.entryNames.flatMap((name, i) => {
        const field = fields[name] ?? null;
        return field === null ? [] : [[name, withoutFilledNulls(field, type.entryTypes[i] as DuckDBType)]];
      });
      return Object.fromEntries(written);
    }
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return (value as readonly unknown[]).map((item) => withoutFilledNulls(item, type.valueType));
    case DuckDBTypeId.MAP:
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [key, withoutFilledNulls(item, type.valueType)]),
      );
    default:
      return value;
  }
}
