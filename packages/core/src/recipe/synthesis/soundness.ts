/** What the schema of a synthesis recipe cannot say. */
import { closest } from '../../closest.ts';
import type { EndpointOptions, SynthesisOptions } from '../../synthesis/options.ts';
import { placeholders, placeholdersIn } from '../../synthesis/prompt.ts';
import type { Finding, KeyPath } from '../problem.ts';
import { addressFault } from './address.ts';

/** Variables that hold tokens of hubs: they go to their hubs only. */
const HUB_TOKENS = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'MODELSCOPE_API_TOKEN'];

/** Parameters of a request that say how it is answered, not what. */
const OWN_PARAMETERS = ['model', 'messages', 'seed', 'stream', 'n', 'stream_options'];

export function synthesisFindings(options: SynthesisOptions): Finding[] {
  const { endpoint, rules, prompt, judge, task } = options;
  return [
    ...endpointFindings(endpoint, ['endpoint']),
    ...(judge && (judge.endpoint.url !== endpoint.url || judge.endpoint.apiKeyVariable !== endpoint.apiKeyVariable)
      ? addressFindings(judge.endpoint, ['judge'])
      : []),
    ...(prompt === null || task === 'answer' ? [] : promptFindings(['prompt'], prompt, placeholders[task])),
    ...(judge?.prompt ? promptFindings(['judge', 'prompt'], judge.prompt, placeholders.judge) : []),
    ...variationFindings(options),
    ...options.sources
      .map(({ path }, i) => ({ path, key: ['sources', i, 'path'] }))
      .filter(({ path }) => path === options.output)
      .map(({ key }) => wrong(key, 'this is the output of the recipe', 'name another output')),
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

/** Keys that would change nothing. */
function variationFindings({
  task,
  prompt,
  personas,
  difficulties,
  variations,
  thinking,
}: SynthesisOptions): Finding[] {
  const found: Finding[] = [];
  if (task === 'answer') {
    for (const [key, value] of Object.entries({ prompt, personas, difficulties })) {
      const next = 'remove it: with `task: answer` the conversation of the row is sent as it is';
      if (value !== null) found.push(wrong([key], `\`${key}\` does nothing with \`task: answer\``, next));
    }
  } else if (thinking !== 'drop') {
    const next =
      'remove it; `task: answer`, with the rows of this recipe as its source, has them answered with thinking';
    found.push(
      wrong(['thinking'], `with \`task: ${task}\` a model thinks about this task, not about the answer`, next),
    );
  }
  const most = (personas?.length ?? 1) * (difficulties?.length ?? 1);
  if (variations > most) {
    const next = `write at most ${most}, or more personas or difficulties`;
    found.push(wrong(['variations'], `there are only ${most} ways to vary a request`, next));
  }
  for (const [key, name, values] of [
    ['personas', 'persona', personas],
    ['difficulties', 'difficulty', difficulties],
  ] as const) {
    if (task !== 'answer' && values !== null && prompt !== null && !placeholdersIn(prompt).includes(name)) {
      found.push(wrong([key], `the prompt has no place for them`, `write {${name}} into it, or remove ${key}`));
    }
  }
  return found;
}

const PATTERN_KEYS = { mustMatch: 'must_match', mustNotMatch: 'must_not_match' } as const;

function wrong(path: KeyPath, what: string, next: string): Finding {
  return { path, part: 'value', code: 'wrong_value', what, next };
}

/** @param key where the endpoint is written */
export function endpointFindings(endpoint: EndpointOptions, key: KeyPath): Finding[] {
  return [
    ...addressFindings(endpoint, key),
    ...OWN_PARAMETERS.filter((name) => name in endpoint.parameters).map((name) =>
      wrong(
        [...key, 'parameters', name],
        `\`${name}\` is what Anneal itself sends`,
        ['model', 'seed'].includes(name) ? 'use the key of the recipe' : 'remove it',
      ),
    ),
  ];
}

function addressFindings({ url: text, apiKeyVariable }: EndpointOptions, key: KeyPath): Finding[] {
  if (apiKeyVariable !== null && HUB_TOKENS.includes(apiKeyVariable)) {
    const next = 'put a key for this endpoint into a variable of its own';
    return [
      wrong([...key, 'api_key_env'], `${apiKeyVariable} holds the token of a hub, which goes to no endpoint`, next),
    ];
  }
  const fault = addressFault(text, apiKeyVariable !== null);
  return fault === null ? [] : [wrong([...key, 'url'], fault.what, fault.next)];
}

export function promptFindings(
  path: KeyPath,
  prompt: string,
  { all, needed }: (typeof placeholders)['judge'],
): Finding[] {
  const used = placeholdersIn(prompt);
  const known = all.map((each) => `{${each}}`).join(', ');
  return [
    ...needed
      .filter((name) => !used.includes(name))
      .map((name) => wrong(path, `it has no place for the ${name}`, `write {${name}} where it belongs`)),
    ...used
      .filter((name) => !all.includes(name))
      .map((name) => {
        const near = closest(name, all);
        const next = near ? `did you mean {${near}}?` : `write ${known}`;
        return wrong(path, `it has a place {${name}}, for which there is nothing`, next);
      }),
  ];
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
