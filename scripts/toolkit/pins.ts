/** The pinned CUDA toolkit: what compiling the CUDA sources needs, from the wheels that NVIDIA publishes for Linux on x86-64. */

export interface Wheel {
  /** As the package index calls it. */
  readonly package: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

const linux = 'manylinux2014_x86_64.manylinux_2_17_x86_64.whl';

/** Unpacked whole. */
export const wheels: readonly Wheel[] = [
  {
    package: 'nvidia-cuda-nvcc',
    file: `nvidia_cuda_nvcc-13.0.88-py3-none-${linux}`,
    bytes: 37_384_532,
    sha256: '56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03',
  },
  {
    package: 'nvidia-nvvm',
    file: 'nvidia_nvvm-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    bytes: 61_601_415,
    sha256: 'c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0',
  },
  {
    package: 'nvidia-cuda-crt',
    file: `nvidia_cuda_crt-13.0.88-py3-none-${linux}`,
    bytes: 134_086,
    sha256: '2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4',
  },
  {
    package: 'nvidia-cuda-runtime',
    file: `nvidia_cuda_runtime-13.0.96-py3-none-${linux}`,
    bytes: 2_243_632,
    sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
  },
  {
    package: 'nvidia-cuda-cccl',
    file: `nvidia_cuda_cccl-13.0.85-py3-none-${linux}`,
    bytes: 3_120_526,
    sha256: 'e0da7ad981f3a8aff08241b5bfc1af868742a63e2762f53a5171c492ef242649',
  },
];

/** A wheel that stays where it is: some files alone are read out of it, each with a checksum of its own. */
export interface PartialWheel {
  readonly package: string;
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 by path. */
  readonly members: ReadonlyMap<string, string>;
}

/** 421 MB, of which compiling needs two headers. */
export const partialWheel: PartialWheel = {
  package: 'nvidia-cublas',
  file: 'nvidia_cublas-13.0.2.14-py3-none-manylinux_2_27_x86_64.whl',
  bytes: 420_882_912,
  members: new Map([
    ['nvidia/cu13/include/cublasLt.h', 'a47b6a56a30e756043d1dd999fd5ef305ce25a4c9f398a61622af40403e43be8'],
    ['nvidia/cu13/include/cublas_api.h', 'ff39aab679599c2076caf97e2751bff2187554824fdba387c2aebe104cd29d25'],
  ]),
};

/** The folder of the wheels that becomes the toolkit's root. */
export const wheelRoot = 'nvidia/cu13/';
