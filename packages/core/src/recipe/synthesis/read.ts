/** Reading a recipe of `anneal synthesize`. */
import { dirname, resolve } from 'node:path';
import { Document } from 'yaml';
import type * as z from 'zod';
import type { EndpointOptions, SynthesisOptions } from '../../synthesis/options.ts';
import { shapeFindings } from '../findings.ts';
import { synthesisRecipe } from '../kinds.ts';
import { write } from '../layout.ts';
import { type Finding, InvalidRecipe, type KeyPath, type Location } from '../problem.ts';
import { checkYaml } from '../read.ts';
import { locate } from '../source.ts';
import { readText } from '../yamlText.ts';
import { withoutSlash } from './address.ts';
import { endpointOf } from './endpoint.ts';
import { filtersSchema, synthesisSchema } from './schema.ts';
import { synthesisFindings } from './soundness.ts';

export interface ReadSynthesisRecipe {
  options: SynthesisOptions;
  /** As written, with the defaults of keys that are absent. */
  recipe: z.output<typeof synthesisSchema>;
  /** The same as text. */
  resolvedText: string;
  /** Where a key was written. */
  locate: (path: KeyPath) => Location;
}

/**
 * @param overrides `key=value`, as with `--set`
 * @throws InvalidRecipe with every problem and its `file:line:column`; UserError when the file cannot be read
 */
export async function readSynthesisRecipe(
  path: string,
  overrides: readonly string[] = [],
): Promise<ReadSynthesisRecipe> {
  return readSynthesisText(await readText(path), path, overrides);
}

/** As `readSynthesisRecipe`, for a text that `path` does not hold yet. */
export function readSynthesisText(text: string, path: string, overrides: readonly string[] = []): ReadSynthesisRecipe {
  const checked = checkYaml(text, path, overrides, {
    kind: synthesisRecipe,
    example: 'write `endpoint`, `sources` and `output`, as docs/synthesize.md shows',
    findings: (plain) => findingsOf(plain, dirname(path)),
  });
  if (!checked.ok) throw new InvalidRecipe(checked.problems);
  const { source, plain } = checked;
  const recipe = synthesisSchema.parse(plain);
  return {
    options: optionsOf(recipe, dirname(path)),
    recipe,
    resolvedText: write(new Document(recipe)),
    locate: (key) => locate(source, key),
  };
}

function findingsOf(plain: Record<string, unknown>, folder: string): Finding[] {
  const shape = shapeFindings(plain, synthesisRecipe);
  return shape.length > 0 ? shape : synthesisFindings(optionsOf(synthesisSchema.parse(plain), folder));
}

function optionsOf(recipe: z.output<typeof synthesisSchema>, folder: string): SynthesisOptions {
  const { filters, judge } = recipe;
  const rules = filters ?? filtersSchema.parse({});
  const endpoint = endpointOf(recipe.endpoint);
  return {
    task: recipe.task,
    endpoint,
    sources: recipe.sources.map(({ path, field }) => ({ path: resolve(folder, path), name: path, field })),
    output: resolve(folder, recipe.output),
    pairsPerChunk: recipe.pairs_per_chunk,
    chunkCharacters: recipe.chunk_chars,
    maxChunks: recipe.max_chunks,
    language: recipe.language,
    prompt: recipe.prompt,
    personas: recipe.personas,
    difficulties: recipe.difficulties,
    variations: recipe.variations,
    thinking: recipe.thinking,
    systemPrompt: recipe.system_prompt,
    judge: judge && {
      prompt: judge.prompt,
      threshold: judge.threshold,
      endpoint: {
        ...endpoint,
        parameters: withLongest({ ...endpoint.parameters, temperature: judge.temperature }, judge.max_tokens),
        url: judge.url === null ? endpoint.url : withoutSlash(judge.url),
        model: judge.model ?? endpoint.model,
        // A key goes nowhere but where the recipe says.
        apiKeyVariable: judge.api_key_env ?? (judge.url === null ? endpoint.apiKeyVariable : null),
      },
    },
    rules: {
      question: { min: rules.min_question_chars, max: rules.max_question_chars },
      answer: { min: rules.min_answer_chars, max: rules.max_answer_chars },
      mustMatch: rules.must_match,
      mustNotMatch: rules.must_not_match,
      scripts: rules.scripts,
      json: rules.json,
    },
    deduplicate: recipe.deduplicate,
    nearDuplicateSimilarity: recipe.near_duplicate_similarity,
    seed: recipe.seed,
  };
}

/** Under the name by which the endpoint calls it. */
function withLongest(parameters: EndpointOptions['parameters'], tokens: number): EndpointOptions['parameters'] {
  return { ...parameters, ['max_completion_tokens' in parameters ? 'max_completion_tokens' : 'max_tokens']: tokens };
}
