/** The code stands after the `#`, which no browser sends and no log keeps. */
export function pairingLink(url: string, code: string): string {
  return `${url}/pair#${code}`;
}
