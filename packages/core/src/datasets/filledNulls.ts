/** As much of the type of a column as tells where nulls may be that nobody wrote. */
export type ColumnType =
  | { readonly kind: 'struct'; readonly fields: Readonly<Record<string, ColumnType>> }
  | { readonly kind: 'list' | 'map'; readonly item: ColumnType }
  | { readonly kind: 'other' };

/**
 * A value of a table without the nulls that Arrow put into it: every struct of a column has every field, so that a field which a row
 * did not write is null there. Nulls in lists, maps and columns of JSON were written.
 */
export function withoutFilledNulls(value: unknown, type: ColumnType): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'struct': {
      const fields = value as Readonly<Record<string, unknown>>;
      const written = Object.entries(type.fields).flatMap(([name, fieldType]) => {
        const field = fields[name] ?? null;
        return field === null ? [] : [[name, withoutFilledNulls(field, fieldType)]];
      });
      return Object.fromEntries(written);
    }
    case 'list':
      return (value as readonly unknown[]).map((item) => withoutFilledNulls(item, type.item));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [key, withoutFilledNulls(item, type.item)]),
      );
    case 'other':
      return value;
  }
}
