/**
 * Directives of `strftime_now` that were not known stood in the prompt as they are: `%U`, `%V`, `%P`, `%-j`, `%^a`. What is expected
 * is what Python 3.11 prints on Linux.
 */
import { expect, test } from 'vitest';
import { strftime } from '../packages/core/src/templates/strftime.ts';

const format = '%U %W %V %G %g %u %j|%-j %-d %-m %-y %-H %-I %-M|%_d %_m|%k %l %I %P %r|%^a %^B|%Ey %Od|%Q %';

test.each([
  [[2021, 1, 3, 5, 7, 9], '01 00 53 2020 20 7 003|3 3 1 21 5 5 7| 3  1| 5  5 05 am 05:07:09 AM|SUN JANUARY|21 03|%Q %'],
  [
    [2020, 12, 31, 15, 0, 0],
    '52 52 53 2020 20 4 366|366 31 12 20 15 3 0|31 12|15  3 03 pm 03:00:00 PM|THU DECEMBER|20 31|%Q %',
  ],
  [
    [2028, 2, 29, 0, 30, 0],
    '09 09 09 2028 28 2 060|60 29 2 28 0 12 30|29  2| 0 12 12 am 12:30:00 AM|TUE FEBRUARY|28 29|%Q %',
  ],
  [
    [2026, 1, 5, 12, 0, 0],
    '01 01 02 2026 26 1 005|5 5 1 26 12 12 0| 5  1|12 12 12 pm 12:00:00 PM|MON JANUARY|26 05|%Q %',
  ],
] as const)('%j', ([year, month, day, hour, minute, second], text) => {
  expect(strftime(new Date(year, month - 1, day, hour, minute, second), format)).toBe(text);
});
