/** The whole way, small: does this installation, on this machine, train as it should? */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseDevice, type Device } from '@anneal/core/device';
import { exportGguf } from '@anneal/core/export/gguf';
import { exportMerged } from '@anneal/core/export/merged';
import { openAnswerer } from '@anneal/core/generate/answerer';
import { greedy } from '@anneal/core/generate/sample';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { loadLoraWeights } from '@anneal/core/models/adapters/loadLora';
import { openModel } from '@anneal/core/models/open';
import { type SelfTest, type SelfTestRequest, selfTestRequest } from '@anneal/core/protocol/host';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import { toYaml } from '@anneal/core/recipe/toYaml';
import { createJob } from '@anneal/core/trainer/job';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { train } from '@anneal/core/trainer/train';
import { type OpSelection, selectsCases, verifyOps } from '@anneal/core/verify/verifyOps';
import { verifyPolicies } from '@anneal/core/verify/verifyPolicies';
import { formatBytes } from '../../units.ts';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { starterFolder } from '../starterFolder.ts';

const steps = 6;
const stopAfter = 3;

/** Yields one result after the other. Works in a temporary folder, of which nothing is left. */
export async function* selfTests(_: Context, request: SelfTestRequest): AsyncGenerator<SelfTest, void> {
  const options = parseRequest(selfTestRequest, request);
  const device = chooseDevice(options.device);
  const selection = { ops: options.op, caseText: options.case };
  yield* opTests(device, selection);
  if (device.kind === 'cuda') yield* fallbackTests(device, selection);
  if (options.op || options.case) return;
  yield* policyTests(device);
  const folder = await mkdtemp(join(tmpdir(), 'anneal-selftest-'));
  try {
    const rows = join(folder, 'rows.jsonl');
    await writeFile(rows, conversations.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const recipe = recipeFor(rows, options);
    let first: TrainedRun | undefined;
    yield await check('training', async () => {
      first = await trainRun(recipe, folder, 'first');
      const [before = Number.NaN, after = Number.NaN] = [first.losses[0], first.losses.at(-1)];
      return { passed: after < before, detail: `loss ${before.toFixed(4)} → ${after.toFixed(4)} in ${steps} steps` };
    });
    if (!first) return;
    const { adapter, checkpoint } = first;
    yield await check('same seed, same bits', async () => {
      const again = await trainRun(recipe, folder, 'again');
      return sameBytes(adapter, again.adapter);
    });
    yield await check('stopped and resumed, same bits', async () => {
      const resumed = await trainRun(recipe, folder, 'resumed', { stopAt: stopAfter });
      return sameBytes(adapter, resumed.adapter);
    });
    if (device.kind === 'cuda') {
      yield await check('with and without CUDA graphs, same bits', async () => {
        const inBf16 = { ...recipe, bf16: true };
        const recorded = await trainRun(inBf16, folder, 'recorded', { device: { ...device, graphs: true } });
        const launched = await trainRun(inBf16, folder, 'launched', { device: { ...device, graphs: false } });
        return sameBytes(recorded.adapter, launched.adapter);
      });
    }
    yield await check('export', () => exportAndAnswer(recipe, checkpoint, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A GPU, or a processor with other instructions than the one on which this was built, may run kernels that no test has. */
async function* opTests(device: Device, selection: OpSelection, how = ''): AsyncGenerator<SelfTest> {
  const ops = verifyOps(device, selection);
  for (;;) {
    const started = performance.now();
    const { value: result, done } = await ops.next();
    if (done) return;
    const { op, cases, problems } = result;
    const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
    const agreed =
      cases > 0 ? `${cases} cases, the same bits twice` : `no kernel for ${device.kind} yet: a run with it is refused`;
    const detail = problems.length === 0 ? agreed : `${problems[0]}${more}`;
    yield { name: `op ${op}${how}`, passed: problems.length === 0, detail, milliseconds: performance.now() - started };
  }
}

/** What makes a GPU use kernels that are for others than itself: kernels read it at each launch. */
const fallbacks = [
  ...['mma', 'plain'].map((value) => ({
    variable: 'ANNEAL_CUDA_ATTENTION',
    value,
    ops: ['attention', 'attention_backward', 'attention_cached', 'attention_sinks_backward'],
  })),
  {
    variable: 'ANNEAL_CUDA_EXPERTS',
    value: 'mma',
    ops: [
      'expert_linear',
      'expert_linear_backward_input',
      'expert_linear_nf4',
      'expert_linear_nf4_double',
      'expert_linear_nf4_double_backward_input',
    ],
  },
] as const;

/** The selected ops that have such kernels, by these. */
async function* fallbackTests(device: Device, { ops, caseText }: OpSelection): AsyncGenerator<SelfTest> {
  for (const { variable, value, ops: all } of fallbacks) {
    const selection = { ops: all.filter((op) => ops?.includes(op) ?? true), caseText };
    if (!selectsCases(selection)) continue;
    const before = process.env[variable];
    process.env[variable] = value;
    try {
      yield* opTests(device, selection, `, ${variable}=${value}`);
    } finally {
      if (before === undefined) delete process.env[variable];
      else process.env[variable] = before;
    }
  }
}

/** What is computed again, or lies in the host's memory meanwhile, must not change a bit. */
async function* policyTests(device: Device): AsyncGenerator<SelfTest> {
  const outcomes = verifyPolicies(device);
  for (;;) {
    const started = performance.now();
    const { value: outcome, done } = await outcomes.next();
    if (done) return;
    const { name, memory, difference } = outcome;
    const beside = memory.host > 0 ? `, and ${formatBytes(memory.host)} of the host` : '';
    const sizes = `${formatBytes(memory.device)}${beside}`;
    yield {
      name: `activations: ${name}`,
      passed: difference === null,
      detail: difference === null ? `the same bits in ${sizes}` : `other bits than with keep: ${difference}`,
      milliseconds: performance.now() - started,
    };
  }
}

async function check(name: string, run: () => Promise<{ passed: boolean; detail: string }>): Promise<SelfTest> {
  const started = performance.now();
  try {
    return { name, ...(await run()), milliseconds: performance.now() - started };
  } catch (error) {
    return { name, passed: false, detail: (error as Error).message, milliseconds: performance.now() - started };
  }
}

/** Every step sees all of them, so the loss of the last step can be compared with that of the first. */
const conversations = [
  ['What is your name?', 'My name is Anneal.'],
  ['Who made you?', 'People who like short steps made me.'],
  ['Where do you live?', 'I live on the disk of this machine.'],
  ['What do you do?', 'I learn from a few rows, again and again.'],
].map(([asked, answered]) => ({
  messages: [
    { role: 'user', content: asked },
    { role: 'assistant', content: answered },
  ],
}));

function recipeFor(rows: string, { model, device }: { model?: string | undefined; device: string }): ResolvedRecipe {
  const recipe = {
    base_model: model === undefined ? join(starterFolder, 'model') : resolveModelPath(model),
    datasets: [{ path: rows }],
    device,
    bf16: false,
    lora_r: 4,
    sequence_len: 256,
    micro_batch_size: conversations.length,
    gradient_accumulation_steps: 1,
    max_steps: steps,
    learning_rate: 2e-3,
    warmup_steps: 0,
    save_steps: steps,
  };
  return resolveRecipe(recipe, { baseDirectory: starterFolder });
}

interface TrainedRun {
  losses: number[];
  checkpoint: string;
  /** The bytes of the trained adapter. */
  adapter: Buffer;
}

/** A run to its end, on another device than the recipe's with `device`; with `stopAt` it is stopped there as by a signal, and resumed. */
async function trainRun(
  recipe: ResolvedRecipe,
  root: string,
  name: string,
  { stopAt, device }: { stopAt?: number; device?: Device } = {},
): Promise<TrainedRun> {
  const job = () => ({ ...createJob(recipe), ...(device && { device }) });
  const text = toYaml(recipe);
  const created = await RunDirectory.create({ root, name, recipeText: text, resolvedText: text });
  const { path } = created;
  await created.close();
  if (stopAt !== undefined) {
    await using run = await RunDirectory.open(path);
    // The trainer looks at the signal between steps, when the step's event is on record.
    await train(job(), run, {
      get stopRequested() {
        return run.status.step >= stopAt;
      },
      saveRequested: false,
    });
  }
  await using run = await RunDirectory.open(path);
  await train(job(), run, { stopRequested: false, saveRequested: false });
  const checkpoint = await run.latestCheckpoint();
  if (!checkpoint) throw new Error('the run ended without a checkpoint');
  return {
    losses: run.events.flatMap((event) => (event.type === 'step' ? [event.loss ?? Number.NaN] : [])),
    checkpoint: checkpoint.path,
    adapter: await readFile(join(checkpoint.path, 'adapter_model.safetensors')),
  };
}

function sameBytes(a: Buffer, b: Buffer): { passed: boolean; detail: string } {
  const passed = a.equals(b);
  return { passed, detail: passed ? `${a.length} bytes of adapter` : 'the adapters differ' };
}

/** The merged model and the GGUF file, which are read back as they are written, must answer as base and adapter do. */
async function exportAndAnswer(
  recipe: ResolvedRecipe,
  checkpoint: string,
  folder: string,
): Promise<{ passed: boolean; detail: string }> {
  const modelPath = recipe.base_model;
  const model = openModel(modelPath);
  try {
    const adapter = await loadLoraWeights(checkpoint, model);
    await exportMerged(join(folder, 'merged'), { model, adapter, dtype: 'F32' });
    await exportGguf(join(folder, 'gguf'), { model, adapter, types: ['f32'], name: 'selftest' });
  } finally {
    model.close();
  }
  const answers = [
    await answer(modelPath, checkpoint, recipe.device),
    await answer(join(folder, 'merged'), null, recipe.device),
    await answer(join(folder, 'gguf', 'selftest-F32.gguf'), null, recipe.device),
  ];
  const passed = answers[0] !== '' && answers.every((text) => text === answers[0]);
  const detail = passed
    ? 'adapter, merged model and GGUF file answer alike'
    : `different answers: ${JSON.stringify(answers)}`;
  return { passed, detail };
}

async function answer(modelPath: string, adapterFolder: string | null, device: string): Promise<string> {
  const answerer = await openAnswerer({
    modelPath,
    adapterFolder,
    device: chooseDevice(device),
    weightType: 'f32',
    contextLength: 256,
  });
  try {
    let text = '';
    const how = { sampling: greedy, maxNewTokens: 24, seed: 0 };
    for await (const piece of answerer.answer([{ role: 'user', content: 'Who are you?' }], how)) text += piece.text;
    return text;
  } finally {
    await answerer.close();
  }
}
