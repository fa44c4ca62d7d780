/** Which problems the studio can say in Chinese: a new code has to be translated, or added to the list of those that are not. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { problemText } from './problems.tsx';
import { problems } from './zhCN/problems.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const sources = globSync('{packages,apps}/{core,formats,kernels,agent}/src/**/*.ts', { cwd: root }).filter(
  // What a diagnosis finds in a run is no error.
  (path) => !path.endsWith('.test.ts') && !path.includes('/testing/') && !path.includes('/diagnosis/'),
);

/** `code: 'a'`, `code: x ? 'a' : 'b'`, and the last or first argument of the helpers that make problems. */
const forms = [
  /\bcode: (?:[^'\n]*\? )?'([a-z0-9_]+)'(?: : '([a-z0-9_]+)')?/g,
  /\bfound\(\s*'([a-z_]+)'/g,
  /\b(?:refusal|problem|nothingAsked)\([\s\S]{0,400}?'([a-z]+(?:_[a-z]+)+)',?\s*\)/g,
];

function codesIn(text: string): string[] {
  return forms.flatMap((form) => [...text.matchAll(form)].flatMap(([, ...codes]) => codes.filter(Boolean)));
}

const codes = new Set(sources.flatMap((path) => codesIn(readFileSync(join(root, path), 'utf8'))));

test('every code that has Chinese words is one, and the others are known', () => {
  expect(codes.size).toBeGreaterThan(250);
  expect(Object.keys(problems).filter((code) => !codes.has(code))).toEqual([]);
  expect([...codes].filter((code) => !(code in problems)).sort()).toEqual(untranslated);
});

test('a translation is shown with what the agent has said; without one that is shown', () => {
  const told = { code: 'disk_full', what: 'it takes 5 GB, 1 GB are free', next: 'free some' };
  const { what, said } = problemText(told, problems);
  expect([what, said]).toEqual([problems['disk_full']?.[0], 'it takes 5 GB, 1 GB are free; free some']);
  expect(problemText(told, null)).toEqual({ what: told.what, next: told.next, said: null });
  expect(problemText({ ...told, code: 'of_a_later_agent' }, problems)).toMatchObject({ what: told.what, said: null });
});

/** Of the command line, of files that somebody else has made, and of defects: they are said in English. */
const untranslated = [
  'access_file_damaged',
  'adapter_field_unsupported',
  'adapter_pattern_unsupported',
  'adapter_target_invalid',
  'adapter_target_unsupported',
  'address_in_use',
  'address_not_safe',
  'address_not_usable',
  'agent_not_running',
  'agent_running',
  'attention_dropout_not_applied',
  'base_path_not_usable',
  'big_endian_host',
  'body_too_large',
  'eval_source',
  'gguf_big_endian',
  'gguf_invalid',
  'gguf_metadata_type',
  'gguf_pre_tokenizer_unknown',
  'gguf_row_not_whole_blocks',
  'gguf_split',
  'gguf_tokenizer_invalid',
  'gguf_tokenizer_unsupported',
  'gguf_truncated',
  'gguf_type_unsupported',
  'gguf_version',
  'golden_incomplete',
  'golden_not_found',
  'golden_not_supported',
  'golden_of_another_model',
  'init_exists',
  'instruction_set_not_found',
  'lock_not_usable',
  'missing_file',
  'model_code_not_run',
  'model_tensor_contradiction',
  'model_tensor_dtype',
  'model_tensor_missing',
  'model_tensor_shape',
  'model_tensor_surplus',
  'nf4_unreadable',
  'no_person',
  'no_safetensors',
  'not_a_checkpoint',
  'not_a_recipe',
  'not_remote',
  'override_malformed',
  'override_without_place',
  'queue_damaged',
  'remote_address',
  'remote_certificate',
  'remote_failed',
  'remote_not_reached',
  'remote_other_version',
  'remote_refused',
  'remote_token',
  'residual_dropout_not_applied',
  'role_taken',
  'run_exists',
  'run_of_another_user',
  'run_on_other_host',
  'runs_elsewhere',
  'runs_not_readable',
  'runs_not_writable',
  'safetensors_extension',
  'safetensors_invalid',
  'safetensors_truncated',
  'several_gguf_files',
  'shard_index_invalid',
  'shard_index_mismatch',
  'shard_missing',
  'studio_not_built',
  'tensor_not_floating',
  'tensor_not_found',
  'tls_incomplete',
  'tls_not_usable',
  'token_file_damaged',
  'token_too_short',
  'tokenizer_unknown_to_gguf',
  'unexpected',
  'unknown_case',
  'unknown_op',
  'vocabulary_too_large',
  'workspace_not_found',
  'wrong_content_type',
  'wrong_request',
  'wrong_usage',
];
