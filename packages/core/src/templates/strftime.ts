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

/** Python's datetime.strftime in the C locale, local time without a zone; unknown directives stay as they are. */
export function strftime(date: Date, format: string): string {
  charge(60 + format.length);
  allocate(1024 + 48 * format.length);
  const day = DAYS[date.getDay()] as string;
  const month = MONTHS[date.getMonth()] as string;
  const hour12 = date.getHours() % 12 || 12;
  const dayOfYear = Math.round(
    (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) / 86_400_000,
  );
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const americanDate = `${two(date.getMonth() + 1)}/${two(date.getDate())}/${two(date.getFullYear() % 100)}`;
  const directives: Readonly<Record<string, string>> = {
    Y: String(date.getFullYear()).padStart(4, '0'),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    e: two(date.getDate(), ' '),
    '-d': String(date.getDate()),
    '-m': String(date.getMonth() + 1),
    B: month,
    b: month.slice(0, 3),
    h: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    w: String(date.getDay()),
    j: String(dayOfYear).padStart(3, '0'),
    H: two(date.getHours()),
    I: two(hour12),
    '-I': String(hour12),
    '-H': String(date.getHours()),
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    f: String(date.getMilliseconds() * 1000).padStart(6, '0'),
    p: date.getHours() < 12 ? 'AM' : 'PM',
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
  return format.replace(/%(-?[A-Za-z%])/g, (directive, name: string) => directives[name] ?? directive);
}
