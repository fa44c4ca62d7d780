import type { CheckTexts } from '@anneal/core/protocol/checks';

const gpu: CheckTexts['gpu'] = ({ name, memory, capability, driver, cuda }) =>
  `${name}，${memory}，计算能力 ${capability}，${driver === '' ? `支持 CUDA ${cuda} 的驱动` : `驱动 ${driver}`}`;
const noCuda = '此构建不含 CUDA：构建时没有找到 nvcc，或设置了 ANNEAL_CUDA=off';

/** What a look at the machine says. */
export const checks: CheckTexts = {
  node: ({ version, system }) => `${version}，${system}`,
  processor: ({ model, threads }) => `${model}，${threads} 个线程`,
  engine: ({ isa, threads }) => `${isa}，${threads} 个线程`,
  memory: ({ free, total }) => `可用 ${free}，共 ${total}`,
  memory_of_container: ({ free, total }) => `可用 ${free}，共 ${total}（此容器的上限）`,
  disk: ({ free, path }) => `${path} 可用 ${free}`,
  writable: ({ path }) => path,
  not_writable: ({ path, error }) => `${path} 无法写入：${error}`,
  loads: () => '可以加载',
  does_not_load: ({ error }) => `无法加载：${error}`,
  cuda_code: ({ targets }) => `此构建含有用于 ${targets} 的代码`,
  no_cuda: () => `${noCuda}；也没有 NVIDIA GPU`,
  no_cuda_for_gpus: ({ gpus }) => `${noCuda}；${gpus} 个 NVIDIA GPU 无法使用`,
  no_gpu: () => '没有 NVIDIA GPU：在 CPU 上训练',
  old_driver: ({ driver, oldest }) => `NVIDIA 驱动的版本为 ${driver}，CUDA 13 需要 ${oldest} 或更新的版本`,
  no_driver: ({ gpus }) => `有 ${gpus} 个 NVIDIA GPU，但没有 NVIDIA 驱动`,
  cuda_error: ({ error }) => `CUDA：${error}`,
  gpus_not_shown: ({ gpus }) => `有 ${gpus} 个 NVIDIA GPU，但 CUDA 一个也看不到`,
  gpu,
  old_gpu: (one) => `${gpu(one)}：太旧，内核需要计算能力 8.0（Ampere）`,
  gpu_without_code: (one) => `${gpu(one)}：此构建没有用于它的代码`,
  library: ({ version, path }) => `${version}，${path}`,
  words: ({ text }) => text,

  slow_processor: () => '此处理器没有 AVX2，训练会很慢；2015 年前后以来的 x86-64 处理器都有',
  other_processor: ({ architecture }) => `内核没有针对 ${architecture} 优化，训练会比应有的慢`,
  build: () => '请在仓库中运行 `npm run build`；需要 C++17 编译器和 CMake',
  more_memory: () => '训练 SmolLM2-135M 约需 1.5 GB：请关闭其他程序，或使用更小的模型或 sequence_len',
  more_disk: () => '模型和检查点会占用数 GB：请释放一些空间，或将 ANNEAL_CACHE 和 output_dir 设为其他磁盘',
  other_folder: () => '请使其可写，或将 ANNEAL_CACHE（模型）或 TMPDIR（临时文件）设为可写的文件夹',
  install: () => '请在仓库中运行 `npm install`，它会带来此平台的二进制文件',
  build_cuda: () =>
    '要在构建中加入 CUDA：请在仓库中运行 `npm run cuda-toolkit && npm run build`，或在构建前将 CUDA_HOME 设为 CUDA 13 工具包',
  update_driver: ({ oldest }) => `请将驱动更新到 ${oldest} 或更新的版本；在此之前可用 \`device: cpu\``,
  install_driver: ({ oldest }) =>
    `请安装 ${oldest} 或更新版本的驱动；在容器中，请带上 GPU 启动它（\`docker run --gpus all\`）`,
  ask_driver: () => '请查看 `nvidia-smi` 的输出；更新驱动后需要重启主机',
  show_gpus: () => '请取消设置 CUDA_VISIBLE_DEVICES；在容器中，请带上 GPU 启动它（`docker run --gpus all`）',
  use_cpu: () => '在 CPU 上训练：`device: cpu`',
  build_for: ({ target }) => `请在仓库中构建：\`ANNEAL_CUDA_ARCHITECTURES=${target} npm run build\``,
};
