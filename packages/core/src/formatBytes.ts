/**
 * 1.23 GB; decimal: 1 GB is 10⁹ bytes. @param digits significant ones. Refusals take 4: what is needed and what is free may be nearly
 * the same.
 */
export function formatBytes(bytes: number, digits: 3 | 4 = 3): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 9995 ? value.toFixed(0) : value.toPrecision(digits)} ${units[unit]}`;
}
