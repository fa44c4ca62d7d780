/** `npx node make_ollama.ts`: ollama/go.json, what Go's text/template makes of every template that a Modelfile may hold. Needs Go 1.26. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chatFamilies } from '../../src/export/ollama/families.ts';

const turn = (role: string, content: string, thinking = '') => ({ Role: role, Content: content, Thinking: thinking });
const call = (name: string, given: string) => ({ Function: { Name: name, Arguments: given } });
const turns = [
  turn('user', 'Hi "there"'),
  turn('assistant', 'Hello\n', 'hm'),
  turn('user', ' and?'),
  turn('assistant', 'Yes.', 'well'),
];
const withSystem = [turn('system', 'Be brief.'), ...turns];
const called = [
  ...withSystem.slice(0, 2),
  { ...turn('assistant', 'Both.', 'two calls'), ToolCalls: [call('weather', '{"city":"Lima"}'), call('add', '{"a":1}')] },
  turn('tool', '"18 <C>\u2028 & ü'),
  turn('tool', '7'),
];
const Tools = [{ Function: '{"name":"weather","parameters":{}}' }, { Function: '{"name":"add"}' }];
const thinking = { IsThinkSet: true, Think: true };

const conversations = [
  { Messages: turns.slice(0, 1), System: '', ...thinking },
  { Messages: turns.slice(0, 1), System: '', IsThinkSet: true, Think: false },
  { Messages: withSystem, System: 'Be brief.', ...thinking },
  { Messages: withSystem, System: 'Be brief.', IsThinkSet: true, Think: false },
  { Messages: withSystem.slice(0, 4), System: 'Be brief.', IsThinkSet: false, Think: false },
  { Messages: called, System: 'Be brief.', Tools, ...thinking },
  { Messages: [...called.slice(1), turn('assistant', 'Mild.'), ...turns.slice(0, 1)], System: '', Tools, ...thinking },
  { Messages: called, System: 'Be brief.', ...thinking },
];
/** The parts of the language that the families do not use in every way. */
const others = [
  'a {{- " b " -}} c',
  '{{ if eq .System "" }}x{{ else if .Think }}y{{ else }}z{{ end }}',
  '{{- range $i, $m := .Messages }} {{ $i }}{{ $m.Role -}} \n{{ end }}',
  '{{ or .System "none" }}{{ and .System "none" }}{{ not .Think }}',
  '{{ $a := 1 }}{{ if true }}{{ $a := 2 }}{{ $a = 3 }}{{ end }}{{ $a }}{{ if true }}{{ $a = 3 }}{{ end }}{{ $a }}',
];

const families = chatFamilies('Today Date: 01 Feb 2025\n').map(({ template }) => template);
const cases = [
  ...families.flatMap((Template) => conversations.map((data) => ({ Template, ...data }))),
  ...others.flatMap((Template) => [[], turns].map((Messages) => ({ Template, Messages, System: '', ...thinking }))),
];
const script = join(import.meta.dirname, 'render_templates.go');
const input = JSON.stringify({ cases });
const outputs = JSON.parse(
  execFileSync('go', ['run', script], { input, encoding: 'utf8', maxBuffer: 1 << 26 }),
) as string[];
const version = execFileSync('go', ['version'], { encoding: 'utf8' }).split(' ')[2];
const source = `${version} text/template on the templates of export/ollama/families.ts and a few more`;
const reference = { source, cases: cases.map((one, i) => ({ ...one, output: outputs[i] })) };
writeFileSync(join(import.meta.dirname, 'ollama', 'go.json'), `${JSON.stringify(reference, null, 1)}\n`);
