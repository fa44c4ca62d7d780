import { listKeys } from '../reference.ts';
import { endpointSchema, filtersSchema, judgeSchema, sourceSchema, synthesisKeys } from './schema.ts';

/** The text of docs/synthesis-recipe.md. */
export function synthesisReference(): string {
  return `# Recipe of anneal synthesize

<!-- Generated: edit the descriptions in packages/core/src/recipe/synthesis/schema.ts, then \`npx vitest run packages/core/src/recipe -u\`. -->

Every key of a recipe of \`anneal synthesize\`; what it does is told in [synthesize.md](synthesize.md). A key that is
absent or \`null\` takes its default. Unknown keys are errors. \`--set endpoint.model=small\` overrides a key for one call.

${listKeys(synthesisKeys)}
## Endpoint

${listKeys(endpointSchema.shape)}
## A source

Each entry of \`sources\`:

${listKeys(sourceSchema.shape)}
## Filters

${listKeys(filtersSchema.shape)}
## Judge

${listKeys(judgeSchema.shape)}`;
}
