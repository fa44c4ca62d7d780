/** What the CUDA assembler says (`ptxas -v`) that a kernel must not have: spills to local memory, and ignored hints. */

export interface ResourceReport {
  /** Kernels compiled, each counted once for each target. */
  readonly kernels: number;
  /** A line for each thing that is wrong: target, kernel, what. */
  readonly problems: readonly string[];
}

/** @param output what `nvcc -Xptxas -v` wrote */
export function readResourceReport(output: string): ResourceReport {
  const problems: string[] = [];
  let kernels = 0;
  let current = '';
  for (const line of output.split('\n')) {
    const entry = /Compiling entry function '(?<name>\w+)' for '(?<target>\w+)'/.exec(line)?.groups;
    if (entry) {
      kernels++;
      current = `${entry.target} ${entry.name}`;
    }
    // Functions that are called and not inlined have lines of their own, after their entry's.
    const called = /Function properties for (?<name>\w+)/.exec(line)?.groups;
    if (called?.name && !current.endsWith(` ${called.name}`)) current = `${current.split(' ', 1)[0]} ${called.name}`;
    const [, stores = '0', loads = '0'] = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line) ?? [];
    if (Number(stores) > 0 || Number(loads) > 0)
      problems.push(`${current}: spills ${stores} bytes, reads ${loads} back`);
    if (/setmaxnreg' ignored|serialized/.test(line)) problems.push(line.replace(/^ptxas \w+\s*: /, '').trim());
  }
  return { kernels, problems };
}
