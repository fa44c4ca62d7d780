/** The verbs, in the order of a first project. Adding one: a file in commands/ and a line here. */
import type { Command } from 'commander';

export interface Verb {
  name: string;
  summary: string;
  /** The module that fills in arguments, options, examples and the action. It imports heavy things only when run. */
  load(): Promise<{ define(command: Command): void | Promise<void> }>;
}

export const verbs: readonly Verb[] = [
  {
    name: 'init',
    summary: 'begin a project: a recipe, rows and a model to try, or a translated recipe',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of recipes, for editors',
    load: () => import('./commands/schema.ts'),
  },
  {
    name: 'validate',
    summary: 'check a recipe without starting anything',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'inspect',
    summary: 'show what is trained: rendered rows, tokens, loss mask, verdicts',
    load: () => import('./commands/inspect.ts'),
  },
  {
    name: 'synthesize',
    summary: 'make rows from documents or other rows, by asking any OpenAI-compatible endpoint',
    load: () => import('./commands/synthesize.ts'),
  },
  {
    name: 'estimate',
    summary: 'print the memory a run would take, by class, before it is taken',
    load: () => import('./commands/estimate.ts'),
  },
  { name: 'train', summary: 'train from a recipe', load: () => import('./commands/train.ts') },
  {
    name: 'eval',
    summary: 'measure the validation loss of a run or a model',
    load: () => import('./commands/eval.ts'),
  },
  { name: 'chat', summary: 'talk to a model, tuned or not', load: () => import('./commands/chat.ts') },
  {
    name: 'export',
    summary: 'write an adapter, a merged model, GGUF files or an Ollama Modelfile',
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'exports',
    summary: 'list, check and remove the exports of runs',
    load: () => import('./commands/exports.ts'),
  },
  {
    name: 'push',
    summary: 'send an export to a hub, with a model card',
    load: () => import('./commands/push.ts'),
  },
  {
    name: 'models',
    summary: 'list, check and remove the models that are here',
    load: () => import('./commands/models.ts'),
  },
  { name: 'pull', summary: 'download a model or a data set into the cache', load: () => import('./commands/pull.ts') },
  {
    name: 'runs',
    summary: 'list, look into, follow, save, stop, resume, compare, remove and restore runs',
    load: () => import('./commands/runs.ts'),
  },
  {
    name: 'reproduce',
    summary: 'train a run again from what it recorded, and say whether the same bits come out',
    load: () => import('./commands/reproduce.ts'),
  },
  {
    name: 'queue',
    summary: 'list, reorder and take out the runs that wait for a device',
    load: () => import('./commands/queue.ts'),
  },
  {
    name: 'edit',
    summary: 'show a row of a data file, or change it in a new version of the file',
    load: () => import('./commands/edit.ts'),
  },
  {
    name: 'storage',
    summary: 'see what takes room on the disk, and give it back',
    load: () => import('./commands/storage.ts'),
  },
  {
    name: 'serve',
    summary: 'serve the studio: recipes and runs in a browser',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'pair',
    summary: 'print a link that pairs one more browser with a running agent',
    load: () => import('./commands/pair.ts'),
  },
  {
    name: 'token',
    summary: 'make, list and revoke tokens for programs that use a running agent',
    load: () => import('./commands/token.ts'),
  },
  {
    name: 'secrets',
    summary: 'keep, list and remove tokens of hubs that an agent uses',
    load: () => import('./commands/secrets.ts'),
  },
  {
    name: 'endpoints',
    summary: 'keep the addresses that an agent may ask for rows, with their keys',
    load: () => import('./commands/endpoints.ts'),
  },
  {
    name: 'remote',
    summary: 'do the same with the agent of another machine',
    load: () => import('./commands/remote.ts'),
  },
  {
    name: 'mcp',
    summary: 'offer the verbs of an agent to assistants, as tools',
    load: () => import('./commands/mcp.ts'),
  },
  { name: 'verify', summary: 'compare this engine with reference values', load: () => import('./commands/verify.ts') },
  {
    name: 'bench',
    summary: 'measure training, prompts and decoding on this machine',
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'doctor',
    summary: 'check that this machine can train, or what went wrong in a run',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'selftest',
    summary: 'train, resume and export something small, and check the result',
    load: () => import('./commands/selftest.ts'),
  },
  { name: 'completion', summary: 'print the shell completion script', load: () => import('./commands/completion.ts') },
];
