/** The machine: what it has, how fast it is, whether it computes as it should. Browser-safe. */
import { z } from 'zod';
import type { Finding } from './checks.ts';
import type { RunEvent } from './events.ts';
import type { Status } from './status.ts';

/** What a run can be trained on. */
export const hostDeviceSchema = z.object({
  /** `cpu`, `cuda:0`, …: as a recipe may name it. */
  name: z.string(),
  /** As its maker calls it. */
  title: z.string(),
});
export type HostDevice = z.infer<typeof hostDeviceSchema>;

const bytes = z.number().min(0);

/** A GPU as nvidia-smi has it; null for what the driver does not tell. */
export const gpuSampleSchema = z.object({
  /** As nvidia-smi counts them. */
  index: z.int().min(0),
  /** What recipes call it; null where CUDA does not see it, or sees a part of it. */
  device: z.string().nullable(),
  name: z.string(),
  memory: z.object({ used: bytes, total: bytes }),
  /** From 0 to 1. */
  utilization: z.number().nullable(),
  celsius: z.number().nullable(),
  watts: z.number().nullable(),
  /** Whoever started them; the one with most memory first. */
  processes: z.array(z.object({ pid: z.int(), name: z.string(), bytes: bytes.nullable() })),
});
export type GpuSample = z.infer<typeof gpuSampleSchema>;

/** What the machine is doing. */
export const hostSampleSchema = z.object({
  time: z.iso.datetime(),
  /** `busy`: the share of all cores, from 0 to 1, since the sample before; `load`: the mean of the last minute. */
  cpu: z.object({ threads: z.int().min(1), busy: z.number(), load: z.number() }),
  memory: z.object({ total: bytes, available: bytes }),
  /** Of the folder that is served. */
  disk: z.object({ folder: z.string(), total: bytes, free: bytes }),
  /** Null where there is no nvidia-smi. */
  gpus: z.array(gpuSampleSchema).nullable(),
});
export type HostSample = z.infer<typeof hostSampleSchema>;

/** Where to compute. */
const device = z.string().min(1).default('auto');

export const selfTestRequest = z.strictObject({
  /** Instead of the starter. */
  model: z.string().min(1).optional(),
  device,
  /** Only the tests of these ops. */
  op: z.array(z.string()).readonly().optional(),
  /** Only the cases of ops whose names hold this text. */
  case: z.string().min(1).optional(),
});
export type SelfTestRequest = z.input<typeof selfTestRequest>;

export const selfTestSchema = z.object({
  name: z.string(),
  passed: z.boolean(),
  detail: z.string(),
  milliseconds: z.number().min(0),
});
export type SelfTest = z.infer<typeof selfTestSchema>;

export const benchRequest = z.strictObject({
  /** sft: optimizer steps; decode: reading a prompt and answering it; rollouts: several answers to it; data: rows; ops: single kernels. */
  suite: z.enum(['sft', 'decode', 'rollouts', 'data', 'ops']).default('sft'),
  /** All suites but ops need it, or `shape`. */
  model: z.string().min(1).optional(),
  /** A published shape with random weights. */
  shape: z.string().min(1).optional(),
  device,
  /** Documents of a step, packed into one row; of rollouts answers beside each other. */
  rows: z.int().min(1).max(4096).default(1),
  /** Tokens of each document of a step, or of the prompt. */
  sequenceLen: z
    .int()
    .min(8)
    .max(1 << 20)
    .default(512),
  /** 0: full fine-tuning. */
  loraR: z.int().min(0).max(1024).default(16),
  /** For the suite sft: the adapter is of DoRA. */
  dora: z.boolean().default(false),
  /** Of the weights. */
  dtype: z.enum(['f32', 'bf16']).optional(),
  quantization: z.enum(['none', 'nf4']).default('none'),
  optimizer: z.enum(['adamw_torch', 'adamw_8bit']).default('adamw_torch'),
  activations: z.enum(['auto', 'keep', 'recompute', 'offload']).default('auto'),
  /** One for each core. */
  threads: z.int().min(1).max(1024).optional(),
  /** Steps before measuring. */
  warmup: z.int().min(0).max(10_000).default(3),
  /** Steps, or answers, that are measured. */
  steps: z.int().min(1).max(100_000).default(10),
  /** Of an answer. */
  newTokens: z
    .int()
    .min(2)
    .max(1 << 20)
    .default(64),
  /** For the suite data: the file of rows, and how many are tokenized. */
  data: z.string().min(1).optional(),
  maxRows: z.int().min(1).default(100_000),
  /** For the suite ops: only these. */
  op: z.array(z.string()).readonly().optional(),
  /** Say where the time of a step goes. */
  profile: z.boolean().default(false),
});
export type BenchRequest = z.input<typeof benchRequest>;

export const verifyRequest = z.strictObject({
  /** A checkpoint folder with golden.safetensors, a fine-tuning run with golden.json, or chat templates in JSON. */
  path: z.string().min(1),
  /** For a fine-tuning run: the model it starts from. */
  model: z.string().min(1).optional(),
  /** For chat templates: the folder of the tokenizer, or of several families. */
  tokenizer: z.string().min(1).optional(),
  device: z.string().min(1).default('cpu'),
  /** Weights (and on a GPU activations) of a checkpoint folder. */
  dtype: z.enum(['f32', 'bf16']).optional(),
});
export type VerifyRequest = z.input<typeof verifyRequest>;

export const supportRequest = z.strictObject({
  /** Where runs are to lie. */
  folder: z.string().min(1).default('.'),
  /** By default the newest, where there is one. */
  run: z.string().min(1).optional(),
});
export type SupportRequest = z.input<typeof supportRequest>;

/** For somebody who helps: without secrets, and without rows of data. */
export interface SupportFile {
  version: 1;
  /** ISO 8601, UTC. */
  made: string;
  versions: { anneal: string; node: string; system: string };
  /** `NAME=value` of what changes how Anneal works. */
  environment: string[];
  devices: HostDevice[];
  findings: Finding[];
  /** The ends of the newest files about unexpected errors. */
  errors: string[];
  run: {
    status: Omit<Status, 'state'> & { state: string };
    recipe: string;
    resolved: string;
    events: RunEvent[];
    /** How many came before those. */
    eventsBefore: number;
    /** The end of what its process has printed. */
    output: string;
  } | null;
}
