/** What a look at the machine says: values with their words, so that others can say it, too. Browser-safe. */
import { z } from 'zod';

/** One of whose driver Linux tells no version, as under WSL, has that of CUDA alone. */
interface Gpu {
  name: string;
  memory: string;
  capability: string;
  driver: string;
  cuda: number;
}

const gpu = (one: Gpu): string =>
  `${one.name}, ${one.memory}, compute capability ${one.capability}, ${one.driver === '' ? `a driver for CUDA ${one.cuda}` : `driver ${one.driver}`}`;
const counted = (gpus: number): string => (gpus === 1 ? 'an NVIDIA GPU' : `${gpus} NVIDIA GPUs`);
const noCuda = 'this build has none, as nvcc was not found or ANNEAL_CUDA=off was set';

/** In English. Another language has the same names, with the same values. */
export const checkTexts = {
  node: ({ version, system }: { version: string; system: string }) => `${version}, ${system}`,
  processor: ({ model, threads }: { model: string; threads: number }) => `${model}, ${threads} threads`,
  engine: ({ isa, threads }: { isa: string; threads: number }) => `${isa}, ${threads} threads`,
  memory: ({ free, total }: { free: string; total: string }) => `${free} free of ${total}`,
  memory_of_container: ({ free, total }: { free: string; total: string }) =>
    `${free} free of ${total} (limit of this container)`,
  disk: ({ free, path }: { free: string; path: string }) => `${free} free at ${path}`,
  writable: ({ path }: { path: string }) => path,
  not_writable: ({ path, error }: { path: string; error: string }) => `${path} cannot be written: ${error}`,
  loads: () => 'loads',
  does_not_load: ({ error }: { error: string }) => `does not load: ${error}`,
  cuda_code: ({ targets }: { targets: string }) => `this build has code for ${targets}`,
  no_cuda: () => `${noCuda}; there is no NVIDIA GPU either`,
  no_cuda_for_gpus: ({ gpus }: { gpus: number }) => `${noCuda}: ${counted(gpus)} cannot be used`,
  no_gpu: () => 'no NVIDIA GPU: training runs on the CPU',
  old_driver: ({ driver, oldest }: { driver: string; oldest: number }) =>
    `the NVIDIA driver is ${driver}, and CUDA 13 needs ${oldest} or newer`,
  no_driver: ({ gpus }: { gpus: number }) => `there is ${counted(gpus)}, and no NVIDIA driver`,
  cuda_error: ({ error }: { error: string }) => `CUDA: ${error}`,
  gpus_not_shown: ({ gpus }: { gpus: number }) => `there is ${counted(gpus)}, and CUDA is shown none`,
  gpu,
  old_gpu: (one: Gpu) => `${gpu(one)}: too old, as the kernels need compute capability 8.0 (Ampere)`,
  gpu_without_code: (one: Gpu) => `${gpu(one)}: this build has no code for it`,
  library: ({ version, path }: { version: string; path: string }) => `${version}, ${path}`,
  /** What somebody else has said. */
  words: ({ text }: { text: string }) => text,

  // What to do.
  slow_processor: () => 'this processor has no AVX2, so training is slow; any x86-64 processor since about 2015 has it',
  other_processor: ({ architecture }: { architecture: string }) =>
    `the kernels are not tuned for ${architecture}, so training takes longer than it could`,
  build: () => 'run `npm run build` in the repository; it needs a C++17 compiler and CMake',
  more_memory: () =>
    'training SmolLM2-135M takes about 1.5 GB: close other programs, or take a smaller model or sequence_len',
  more_disk: () =>
    'models and checkpoints take gigabytes: free some space, or set ANNEAL_CACHE and output_dir to another disk',
  other_folder: () => 'make it writable, or set ANNEAL_CACHE (models) or TMPDIR (temporary files) to a folder that is',
  install: () => 'run `npm install` in the repository; it brings the binary for this platform',
  build_cuda: () =>
    'to build with CUDA: `npm run cuda-toolkit && npm run build` in the repository, or set CUDA_HOME to a CUDA 13 toolkit before the build',
  update_driver: ({ oldest }: { oldest: number }) =>
    `update the driver to ${oldest} or newer; \`device: cpu\` works meanwhile`,
  install_driver: ({ oldest }: { oldest: number }) =>
    `install the driver, ${oldest} or newer; in a container, start it with the GPUs (\`docker run --gpus all\`)`,
  ask_driver: () => 'see what `nvidia-smi` says; after an update of the driver the host has to be restarted',
  show_gpus: () => 'unset CUDA_VISIBLE_DEVICES; in a container, start it with the GPUs (`docker run --gpus all`)',
  use_cpu: () => 'training runs on the CPU: `device: cpu`',
  build_for: ({ target }: { target: string }) =>
    `build it in the repository: \`ANNEAL_CUDA_ARCHITECTURES=${target} npm run build\``,
};

export type CheckTexts = typeof checkTexts;
export type CheckCode = keyof CheckTexts;

export const saidSchema = z.object({
  code: z.string(),
  values: z.record(z.string(), z.union([z.string(), z.number()])),
});
export type Said = z.infer<typeof saidSchema>;

export const findingSchema = z.object({
  name: z.string(),
  state: z.enum(['ok', 'warn', 'fail']),
  found: z.string(),
  /** What to do, where the state is not ok. */
  advice: z.string().optional(),
  /** What `found` and `advice` are made of by `checkTexts`. */
  said: z.object({ found: saidSchema, advice: saidSchema.optional() }),
});
export type Finding = z.infer<typeof findingSchema>;

/** A code with its values, and the words. */
export type Saying = Said & { text: string };

export function say<Code extends CheckCode>(code: Code, ...[values]: Parameters<CheckTexts[Code]>): Saying {
  const words = checkTexts[code] as (values: unknown) => string;
  return { code, values: { ...values }, text: words(values) };
}

export function finding(name: string, state: Finding['state'], found: Saying, advice?: Saying): Finding {
  const said = ({ code, values }: Saying): Said => ({ code, values });
  return {
    name,
    state,
    found: found.text,
    ...(advice && { advice: advice.text }),
    said: { found: said(found), ...(advice && { advice: said(advice) }) },
  };
}
