import { allocate, charge } from './meter.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

const two = (value: number, fill = '0'): string => String(value).padStart(2, fill);

/** Python's datetime.strftime in the C locale on Linux, local time without a zone; unknown directives stay as they are. */
export function strftime(date: Date, format: string): string {
  charge(60 + format.length);
  allocate(1024 + 48 * format.length);
  const day = DAYS[date.getDay()] as string;
  const month = MONTHS[date.getMonth()] as string;
  const hour12 = date.getHours() % 12 || 12;
  const dayOfYear = dayOfYearOf(date);
  const noon = date.getHours() < 12 ? 'AM' : 'PM';
  /** Of the year, where a week begins on this day. */
  const week = (first: number): string => two(Math.floor((dayOfYear + 6 - ((date.getDay() - first + 7) % 7)) / 7));
  const thursday = thursdayOf(date);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const americanDate = `${two(date.getMonth() + 1)}/${two(date.getDate())}/${two(date.getFullYear() % 100)}`;
  const directives: Readonly<Record<string, string>> = {
    Y: String(date.getFullYear()).padStart(4, '0'),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    e: two(date.getDate(), ' '),
    B: month,
    b: month.slice(0, 3),
    h: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    w: String(date.getDay()),
    j: String(dayOfYear).padStart(3, '0'),
    H: two(date.getHours()),
    I: two(hour12),
    k: two(date.getHours(), ' '),
    l: two(hour12, ' '),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    f: String(date.getMilliseconds() * 1000).padStart(6, '0'),
    p: noon,
    P: noon.toLowerCase(),
    r: `${two(hour12)}:${time.slice(3)} ${noon}`,
    s: String(Math.floor(date.getTime() / 1000)),
    U: week(0),
    W: week(1),
    V: two(Math.ceil(thursday.dayOfYear / 7)),
    G: String(thursday.year),
    g: two(thursday.year % 100),
    n: '\n',
    t: '\t',
    F: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    T: time,
    X: time,
    R: time.slice(0, 5),
    D: americanDate,
    x: americanDate,
    c: `${day.slice(0, 3)} ${month.slice(0, 3)} ${two(date.getDate(), ' ')} ${time} ${date.getFullYear()}`,
    u: String(date.getDay() || 7),
    z: '',
    Z: '',
    '%': '%',
  };
  return format.replace(/%([-_^]?)[EO]?([A-Za-z%])/g, (directive, flag: string, name: string) => {
    const value = directives[name];
    if (value === undefined) return directive;
    if (flag === '^') return value.toUpperCase();
    const digits = value.trimStart();
    if (flag === '' || !/^\d+$/.test(digits)) return value;
    const bare = digits.replace(/^0+(?=\d)/, '');
    return flag === '-' ? bare : bare.padStart(value.length, ' ');
  });
}

function dayOfYearOf(date: Date): number {
  return Math.round(
    (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) / 86_400_000,
  );
}

/** A week of ISO 8601 belongs to the year that its Thursday lies in. */
function thursdayOf(date: Date): { year: number; dayOfYear: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7));
  return { year: thursday.getFullYear(), dayOfYear: dayOfYearOf(thursday) };
}
