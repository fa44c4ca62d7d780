/** Texts without what nobody else should have: tokens, keys, passwords, and who one is on this machine. */
import { homedir, hostname, userInfo } from 'node:os';

/** Of variables whose name says so; anything shorter would blank out ordinary words. */
const secretName = /token|secret|password|passwd|credential|api_?key|private/i;
const leastSecret = 6;

const forms: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[private key]'],
  [/\b(hf|anneal|github_pat|gh[pousr]|sk|pk|glpat|xox[abprs])[_-][\w-]{16,}/g, '[token]'],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, '[token]'],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, '[token]'],
  [/\b(bearer|basic)\s+[\w+/=.~-]{8,}/gi, '$1 [token]'],
  [/([a-z][\w+.-]*:\/\/)[^\s/@:"']*:[^\s/@"']*@/gi, '$1[password]@'],
  [/([?&](?:[\w-]*(?:token|key|signature|secret|password|code)[\w-]*)=)[^&\s"'#]+/gi, '$1[secret]'],
  [
    /(["']?[\w-]*(?:token|secret|password|passwd|api_?key)["']?\s*[:=]\s*["']?)(?!\[|null\b|true\b|false\b|\d+(?:[,}\s]|$))[\w+/.~-]{8,}/gi,
    '$1[secret]',
  ],
  [/(\/pair#)[\w-]+/g, '$1[code]'],
];

export interface Known {
  environment: Readonly<Record<string, string | undefined>>;
  home: string;
  user: string;
  host: string;
}

/** Of this process. */
export function knownHere(): Known {
  return { environment: process.env, home: homedir(), user: userName(), host: hostname() };
}

/** A function that takes secrets out of a text. What it leaves out it names in brackets. */
export function redactor({ environment, home, user, host }: Known): (text: string) => string {
  const values = Object.entries(environment).flatMap(([name, value]) =>
    secretName.test(name) && value !== undefined && value.length >= leastSecret ? [[value, `[${name}]`] as const] : [],
  );
  const literal = [
    ...values.sort(([a], [b]) => b.length - a.length),
    ...(home.length > 1 ? [[home, '~'] as const] : []),
  ];
  const words = [
    ...(host.length > 2 ? [[host, '[host]'] as const] : []),
    ...(user.length > 2 && user !== 'root' ? [[user, '[user]'] as const] : []),
  ].map(([word, name]) => [new RegExp(`(?<![\\w-])${escaped(word)}(?![\\w-])`, 'g'), name] as const);
  return (text) => {
    const plain = literal.reduce((all, [value, name]) => all.replaceAll(value, name), text);
    const formed = forms.reduce((all, [form, name]) => all.replaceAll(form, name), plain);
    return words.reduce((all, [word, name]) => all.replaceAll(word, name), formed);
  };
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // containers may run as a user that has no name
  }
}
