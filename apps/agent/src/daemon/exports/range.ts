/** Which part of a file is asked for (RFC 9110, section 14). */

export type Part = { start: number; end: number; whole: boolean } | 'unsatisfiable';

/**
 * The bytes from `start` to before `end`. Several ranges at once, or what is no range, give the whole, as the standard allows.
 * @param ifRange the part is wanted only of the file that it has seen; else the whole of what is there now
 */
export function partOf(
  { range, ifRange }: { range: string | undefined; ifRange: string | undefined },
  { size, etag }: { size: number; etag: string },
): Part {
  const whole = { start: 0, end: size, whole: true };
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? '');
  const [, from = '', to = ''] = found ?? [];
  if (!found || (from === '' && to === '') || (ifRange !== undefined && ifRange !== etag)) return whole;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size : Math.min(size, Number(to) + 1);
  if (from !== '' && to !== '' && Number(to) < start) return whole;
  return start >= end ? 'unsatisfiable' : { start, end, whole: false };
}
