/** What the schema of a synthesis recipe cannot say. */
import { closest } from '../../closest.ts';
import type { SynthesisOptions } from '../../synthesis/options.ts';
import { placeholders, placeholdersIn } from '../../synthesis/prompt.ts';
import type { Finding, KeyPath } from '../problem.ts';

/** Parameters of a request that say how it is answered, not what. */
const OWN_PARAMETERS = ['model', 'messages', 'seed', 'stream', 'n', 'stream_options'];

export function synthesisFindings(options: SynthesisOptions): Finding[] {
  const { endpoint, rules, prompt } = options;
  return [
    ...addressFindings(endpoint.url, endpoint.apiKeyVariable !== null),
    ...OWN_PARAMETERS.filter((name) => name in endpoint.parameters).map((name) =>
      wrong(
        ['endpoint', 'parameters', name],
        `\`${name}\` is what Anneal itself sends`,
        ['model', 'seed'].includes(name) ? 'use the key of the recipe' : 'remove it',
      ),
    ),
    ...(prompt === null ? [] : promptFindings(prompt)),
    ...(['mustMatch', 'mustNotMatch'] as const).flatMap((name) => patternFindings(rules[name], PATTERN_KEYS[name])),
    ...(rules.scripts ?? []).flatMap((script, i) => scriptFindings(script, i)),
    ...(['question', 'answer'] as const)
      .filter((part) => rules[part].min > rules[part].max)
      .map((part) =>
        wrong(
          ['filters', `max_${part}_chars`],
          `no ${part} has at least ${rules[part].min} and at most ${rules[part].max} characters`,
          'raise it, or lower the least',
        ),
      ),
  ];
}

const PATTERN_KEYS = { mustMatch: 'must_match', mustNotMatch: 'must_not_match' } as const;

function wrong(path: KeyPath, what: string, next: string): Finding {
  return { path, part: 'value', code: 'wrong_value', what, next };
}

function addressFindings(text: string, hasKey: boolean): Finding[] {
  const path = ['endpoint', 'url'];
  if (!URL.canParse(text)) return [wrong(path, 'this is no address', 'write it like http://127.0.0.1:11434/v1')];
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return [wrong(path, `${url.protocol}// is not asked`, 'write an address of http or https')];
  }
  if (url.username !== '' || url.password !== '') {
    return [wrong(path, 'the address holds a name or a password', 'put the key into a variable, named by api_key_env')];
  }
  if (url.search !== '' || url.hash !== '') {
    return [wrong(path, 'the address has something behind ? or #', 'remove it: what is asked is its path alone')];
  }
  if (url.pathname.endsWith('/chat/completions')) {
    return [wrong(path, '`/chat/completions` is added by Anneal', `write ${text.replace(/\/chat\/completions$/, '')}`)];
  }
  if (hasKey && url.protocol === 'http:' && !isThisMachine(url.hostname)) {
    return [
      wrong(
        path,
        'an API key would be sent there in the clear',
        'write https, open a tunnel (ssh -L), or remove api_key_env if the server needs no key',
      ),
    ];
  }
  return [];
}

const isThisMachine = (host: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host);

function promptFindings(prompt: string): Finding[] {
  const path = ['prompt'];
  const used = placeholdersIn(prompt);
  if (!used.includes('text'))
    return [wrong(path, 'it has no place for the text', 'write {text} where the chunk belongs')];
  return used
    .filter((name) => !placeholders.includes(name))
    .map((name) => {
      const near = closest(name, placeholders);
      const known = placeholders.map((each) => `{${each}}`).join(', ');
      return wrong(
        path,
        `it has a place {${name}}, for which there is nothing`,
        near ? `did you mean {${near}}?` : `write ${known}`,
      );
    });
}

function patternFindings(pattern: string | null, key: string): Finding[] {
  const fault = pattern === null ? null : patternFault(pattern);
  return fault === null ? [] : [wrong(['filters', key], fault, 'correct the regular expression')];
}

function scriptFindings(script: string, at: number): Finding[] {
  if (patternFault(`\\p{Script=${script}}`) === null) return [];
  const next = 'write a script as Unicode names it: Latin, Cyrillic, Arabic, Han, Hiragana, Katakana, Hangul, …';
  return [wrong(['filters', 'scripts', at], `no script is called ${script}`, next)];
}

function patternFault(pattern: string): string | null {
  try {
    return RegExp(pattern, 'u') && null;
  } catch (error) {
    return (error as Error).message;
  }
}
