/** What a model may ask an agent for, by tools: the verbs of `anneal remote`, each with the role that it needs. */
import { stepRequest } from '@anneal/core/protocol/batches';
import { byLoss } from '@anneal/core/protocol/byLoss';
import { answerOptions, messageSchema } from '@anneal/core/protocol/chat';
import { mostComparedRuns } from '@anneal/core/protocol/comparedRuns';
import { rowRangeSchema } from '@anneal/core/protocol/data';
import { exportRequest } from '@anneal/core/protocol/exports';
import { pullRequest, sourceRequest } from '@anneal/core/protocol/models';
import { concurrencySchema, prioritySchema } from '@anneal/core/protocol/queue';
import { recipeRequest } from '@anneal/core/protocol/recipes';
import type { Role } from '@anneal/core/protocol/roles';
import {
  acknowledgeRequest,
  compareRunsRequest,
  createRunRequest,
  followRunRequest,
  noteRunRequest,
  resumeRunRequest,
  runRequest,
  stopRunRequest,
  tagRunRequest,
} from '@anneal/core/protocol/runs';
import { synthesisRequest } from '@anneal/core/protocol/synthesis';
import { z } from 'zod';
import { runThere } from '../remote/names.ts';
import { finish } from '../service/finish.ts';
import { answerOnce } from './answer.ts';
import type { Surroundings, Tool } from './tool.ts';
import { exportRun, resume, train } from './training.ts';

const nothing = z.object({});
/** Of a long log the newest. */
const mostEvents = 200;
const mostRows = 20;

const rowSource = z
  .string()
  .min(1)
  .describe('A recipe, a data file of the agent, or a data set that it has pulled: owner/name');

const looking: readonly Tool[] = [
  tool(
    'runs_list',
    'Every run with its state, step, losses, alerts, note and tags, oldest first',
    'viewer',
    nothing,
    ({ ask }) => ask.listRuns({}),
  ),
  tool(
    'runs_show',
    'Everything about one run: state, numbers, alerts, checkpoints',
    'viewer',
    runRequest,
    ({ ask }, input) => ask.showRun({}, input),
  ),
  tool(
    'runs_events',
    `What a run said after event number afterSeq, the newest ${mostEvents} events of it`,
    'viewer',
    followRunRequest.omit({ follow: true }),
    async ({ ask }, input) => {
      const events = [];
      for await (const event of ask.followRun({}, { ...input, follow: false })) events.push(event);
      return { leftOut: Math.max(0, events.length - mostEvents), events: events.slice(-mostEvents) };
    },
  ),
  tool(
    'runs_compare',
    `Two to ${mostComparedRuns} runs side by side: what differs in the recipes, and how they went`,
    'viewer',
    compareRunsRequest.omit({ steps: true }),
    async ({ ask }, input) => {
      const { steps: _, ...comparison } = await ask.compareRuns({}, input);
      return comparison;
    },
  ),
  tool(
    'runs_batch',
    `The rows that a step was made of, those ${mostRows} with the highest losses before it`,
    'viewer',
    runRequest.extend(stepRequest.shape),
    async ({ ask }, { run, step }) => {
      const batches = await finish(ask.openBatches({}, { run }));
      try {
        const { rows, ...batch } = await batches.batch({ step });
        const leftOut = Math.max(0, rows.length - mostRows);
        return { ...batch, leftOut, rows: rows.toSorted(byLoss).slice(0, mostRows) };
      } finally {
        await batches.close();
      }
    },
  ),
  tool('recipes_list', 'The recipes of the agent', 'viewer', nothing, ({ connection }) =>
    connection.ask((api) => api.recipes.list.query()),
  ),
  tool('recipes_validate', 'A recipe with every default, or its mistakes', 'viewer', recipeRequest, ({ ask }, input) =>
    ask.validateRecipe({}, input),
  ),
  tool(
    'recipes_estimate',
    'The memory, disk, steps and tokens that a run would take, before anything is taken',
    'viewer',
    recipeRequest,
    async ({ ask }, input) => (await finish(ask.estimateRun({}, input))).estimate,
  ),
  tool(
    'data_rows',
    `Rows of a recipe, a data file or a pulled data set as the trainer sees them: text, loss mask, verdict; at most ${mostRows}`,
    'viewer',
    z.object({
      source: rowSource,
      first: rowRangeSchema.shape.first.default(1),
      count: z.int().min(1).max(mostRows).default(3),
    }),
    async ({ ask }, { source, first, count }) => {
      const data = await ask.openData({}, { source });
      const rows = [];
      for await (const { tokens: _, ...row } of data.rows.range({ first, last: first + count - 1 })) rows.push(row);
      return rows;
    },
  ),
  tool(
    'data_report',
    'What is worth knowing of all rows: lengths, packing, duplicates, leakage',
    'viewer',
    z.object({ source: rowSource }),
    async ({ ask }, { source }) => finish((await ask.openData({}, { source })).report()),
  ),
  tool('models_list', 'The models that are here, with license, size and who uses them', 'viewer', nothing, ({ ask }) =>
    finish(ask.listModels({}, {})),
  ),
  tool('exports_list', 'What a run was exported as', 'viewer', runRequest, ({ ask }, { run }) =>
    ask.listExports({}, { run }),
  ),
  tool('exports_plan', 'How large each form of an export would be', 'viewer', sourceRequest, ({ ask }, input) =>
    finish(ask.planExport({}, input)),
  ),
  tool('queue_list', 'The runs that wait, by device, and what trains there', 'viewer', nothing, async ({ ask }) =>
    (await ask.openQueue('.')).read(),
  ),
  tool(
    'run_doctor',
    'What went wrong in a run: findings with evidence, advice and changes of the recipe',
    'viewer',
    runRequest,
    ({ ask }, { run }) => finish(ask.diagnoseRun({}, { run })),
  ),
  tool('doctor', 'What the machine has of what training needs, with advice', 'viewer', nothing, ({ ask }) =>
    finish(ask.examineHost({}, { folder: '.' })),
  ),
];

const talking: readonly Tool[] = [
  tool(
    'chat',
    'One answer of a run or a model; the likeliest tokens with temperature 0',
    'editor',
    sourceRequest.extend({
      base: z.boolean().default(false).describe('Of a run: the model as it was before training'),
      messages: z.array(messageSchema).min(1),
      ...answerOptions.pick({ temperature: true, topP: true, topK: true, maxTokens: true, seed: true }).shape,
    }),
    answerOnce,
  ),
];

const writing: readonly Tool[] = [
  tool(
    'runs_note',
    'Replaces the note of a run; an empty text removes it',
    'editor',
    noteRunRequest,
    ({ ask }, input) => ask.noteRun({}, input, 'assistant'),
  ),
  tool('runs_tag', 'Adds tags to a run, and takes others away', 'editor', tagRunRequest, ({ ask }, input) =>
    ask.tagRun({}, input),
  ),
];

const named = z.object({ run: runRequest.shape.run });

const changing: readonly Tool[] = [
  tool(
    'train',
    'Queues a run of a recipe. With wait it is followed to its end, and a cancel stops it with a checkpoint',
    'operator',
    createRunRequest.omit({ text: true }).extend({ priority: prioritySchema, wait: z.boolean().default(false) }),
    train,
  ),
  tool(
    'runs_resume',
    'Continues a run from its newest checkpoint; a finished one with max_steps or num_epochs in set',
    'operator',
    resumeRunRequest.extend({ priority: prioritySchema, wait: z.boolean().default(false) }),
    resume,
  ),
  tool('runs_save', 'Asks a run for a checkpoint now; it goes on', 'operator', runRequest, ({ ask }, input) =>
    ask.saveRunNow({}, input),
  ),
  tool(
    'runs_acknowledge',
    'Marks the alerts of a run as looked at, all that are open or those that are named',
    'operator',
    acknowledgeRequest,
    ({ ask }, input) => ask.acknowledgeAlerts({}, input, 'assistant'),
  ),
  tool('runs_stop', 'Asks a run to save a checkpoint and end', 'operator', stopRunRequest, ({ ask }, input) =>
    finish(ask.stopRun({}, input)),
  ),
  tool(
    'queue_move',
    'Moves a run to a place, from 1, among those that wait for its device',
    'operator',
    named.extend({ place: z.int().min(1) }),
    async (given, { run, place }) => {
      const { queue, key } = await inQueue(given, run);
      return queue.move(key, place);
    },
  ),
  tool(
    'queue_assign',
    'Lets a run that has not begun wait for another device',
    'operator',
    named.extend({ device: z.string().min(1) }),
    async (given, { run, device }) => {
      const { queue, key } = await inQueue(given, run);
      return queue.assign(key, device);
    },
  ),
  tool('queue_remove', 'Takes a run out of the queue; it stays', 'operator', named, async (given, { run }) => {
    const { queue, key } = await inQueue(given, run);
    return queue.remove(key);
  }),
  tool(
    'queue_set',
    'How many runs a device trains at a time',
    'operator',
    z.object({ device: z.string().min(1), runs: concurrencySchema }),
    async ({ ask }, { device, runs }) => (await ask.openQueue('.')).setConcurrency(device, runs),
  ),
  tool(
    'export',
    'Writes an adapter, a merged model, GGUF files or a Modelfile of a run, on the machine of the agent',
    'operator',
    exportRequest.omit({ to: true, imatrixFile: true }),
    exportRun,
  ),
  tool(
    'models_pull',
    'Downloads a model, or with data a data set of a hub, into the cache',
    'operator',
    pullRequest.omit({ offline: true }),
    ({ ask, report }, input) =>
      finish(ask.pullModel({}, input), ({ phase, file, receivedBytes = 0, totalBytes }) =>
        report(receivedBytes, totalBytes, file ? `${phase} ${file}` : phase),
      ),
  ),
];

const making: readonly Tool[] = [
  tool('synthesis_list', 'The recipes that make rows', 'viewer', nothing, ({ connection }) =>
    connection.ask((api) => api.synthesis.list.query()),
  ),
  tool(
    'synthesize',
    'Makes rows by a recipe, asking the endpoints that the agent is configured with; with dryRun it says what that takes. A cancel keeps what was answered',
    'operator',
    synthesisRequest,
    ({ ask, signal, report }, input) =>
      finish(ask.synthesizeRows({ signal }, input), ({ phase, answered, requests }) =>
        report(answered, requests, phase),
      ),
  ),
];

export const tools: readonly Tool[] = [...looking, ...talking, ...writing, ...changing, ...making];

/** The queue of the agent, and what it calls this run. */
async function inQueue({ ask, connection }: Surroundings, run: string) {
  return { queue: await ask.openQueue('.'), key: (await runThere(connection, run)).key };
}

function tool<Schema extends z.ZodObject>(
  name: string,
  description: string,
  role: Role,
  request: Schema,
  run: (surroundings: Surroundings, input: z.output<Schema>) => Promise<unknown>,
): Tool {
  // An argument that nothing is made of may be a limit that somebody relies on.
  const strict = request.strict() as unknown as Schema;
  return { name, description, role, request: strict, run: (given, input) => run(given, strict.parse(input)) };
}
