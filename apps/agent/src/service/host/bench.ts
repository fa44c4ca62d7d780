/** How fast this machine is. What is measured has this process to itself: its peak memory is part of the result. */
import type { DataBenchRow } from '@anneal/core/bench/data';
import type { OpBenchRow } from '@anneal/core/bench/ops';
import type { BenchRow } from '@anneal/core/bench/row';
import { chooseDevice } from '@anneal/core/device';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import type { OpenModel } from '@anneal/core/models/model';
import { type BenchRequest, benchRequest } from '@anneal/core/protocol/host';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';

export type ModelSuite = 'sft' | 'decode' | 'rollouts';

/** Training steps, or answers, with weights of one type. @throws UserError `option_wrong`, `option_missing` */
export async function benchModel(
  _: Context,
  request: BenchRequest & { suite: ModelSuite; dtype: 'f32' | 'bf16' },
): Promise<BenchRow[]> {
  const options = parseRequest(benchRequest, request);
  await checkModelBench(options);
  const device = chooseDevice(options.device, { threads: options.threads });
  if (options.activations === 'offload' && device.kind === 'cpu')
    throw new UserError({
      what: 'on cpu activations already are in the memory of the host',
      next: 'choose --activations recompute, which takes the least memory there, or --device cuda',
      code: 'option_wrong',
    });
  const { rows, sequenceLen, quantization, steps, newTokens } = options;
  const common = { model: await openWeights(options), device, weightType: request.dtype, quantization };
  if (options.suite === 'decode') {
    const { benchDecode } = await import('@anneal/core/bench/decode');
    return benchDecode({ ...common, promptLength: sequenceLen, newTokens, repeats: steps });
  }
  const { loraR, profile } = options;
  if (options.suite === 'rollouts') {
    const { benchRollouts } = await import('@anneal/core/bench/rollouts');
    const sizes = { answers: rows, promptLength: sequenceLen, newTokens };
    return [await benchRollouts({ ...common, ...sizes, loraR, repeats: steps, profile })];
  }
  const { benchSft } = await import('@anneal/core/bench/sft');
  const { dora, optimizer, activations, warmup } = options;
  const training = { rows, sequenceLen, loraR, dora, optimizer, activations };
  return [await benchSft({ ...common, ...training, warmup, steps, profile })];
}

/** What would keep `benchModel` from beginning. @throws UserError `option_wrong`, `option_missing` */
export async function checkModelBench(options: BenchRequest): Promise<void> {
  if (options.suite === 'sft' && options.quantization === 'nf4' && options.loraR === 0)
    throw new UserError({
      what: 'weights in 4 bits cannot be trained themselves',
      next: 'add --lora-r 16, or leave --quantization out',
      code: 'option_wrong',
    });
  if (options.dora && (options.suite !== 'sft' || options.loraR === 0))
    throw new UserError({
      what: '--dora is for training an adapter',
      next: 'leave it out, or choose --suite sft with --lora-r above 0',
      code: 'option_wrong',
    });
  if (options.shape === undefined) modelOf(options);
  else await checkShape(options.shape);
}

/** What becomes of a file of rows. @throws UserError `option_missing` */
export async function benchRows(_: Context, request: BenchRequest): Promise<DataBenchRow> {
  const options = parseRequest(benchRequest, request);
  const modelPath = modelOf(options);
  const { data: file, maxRows } = options;
  if (file === undefined) {
    throw new UserError({
      what: 'the suite data needs a file of rows',
      next: 'add --data train.jsonl',
      code: 'option_missing',
    });
  }
  const { benchData } = await import('@anneal/core/bench/data');
  return benchData({ modelPath, file, maxRows });
}

/** Single kernels. */
export async function benchKernels(_: Context, request: BenchRequest): Promise<OpBenchRow[]> {
  const { op, device, threads } = parseRequest(benchRequest, request);
  const { benchOps } = await import('@anneal/core/bench/ops');
  return benchOps(chooseDevice(device, { threads }), op);
}

function modelOf({ suite, model }: BenchRequest): string {
  if (model !== undefined) return resolveModelPath(model);
  throw new UserError({
    what: `the suite ${suite} needs a model`,
    next: 'add --model smollm2-135m, a model folder or a .gguf file, or --shape where it is not data',
    code: 'option_missing',
  });
}

async function openWeights(options: BenchRequest): Promise<OpenModel> {
  if (options.shape === undefined) {
    const { openModel } = await import('@anneal/core/models/open');
    return openModel(modelOf(options));
  }
  const { randomModel } = await import('@anneal/core/bench/shapes');
  return randomModel(options.shape);
}

async function checkShape(shape: string): Promise<void> {
  const { shapes } = await import('@anneal/core/bench/shapes');
  if (Object.hasOwn(shapes, shape)) return;
  throw new UserError({
    what: `there is no shape ${shape}`,
    next: `choose one of ${Object.keys(shapes).join(', ')}, or give a model with --model`,
    code: 'option_wrong',
  });
}
