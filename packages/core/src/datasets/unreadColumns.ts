/** Columns that hold something which nothing is learnt from, each with the number of its rows. */
export type UnreadColumns = Readonly<Record<string, number>>;

/** `notes (12 rows), id (20 rows)` */
export function describeUnread(unread: UnreadColumns): string {
  return Object.entries(unread)
    .map(([column, rows]) => `${column} (${rows} ${rows === 1 ? 'row' : 'rows'})`)
    .join(', ');
}
