import { exitCodes } from '../exitCodes.ts';
import { finish } from '../service/finish.ts';
import { colors } from '../terminal/colors.ts';
import { print, printHint, printJson } from '../terminal/print.ts';
import { bar, ProgressLine } from '../terminal/progressLine.ts';
import { formatBytes } from '../units.ts';
import { useCase } from './useCases.ts';

export async function check(model: string, { json }: { json?: boolean }): Promise<void> {
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  const checkModel = await useCase('checkModel');
  const checked = await finish(checkModel({}, { model }), ({ file, done, total }) =>
    line?.show(`${bar(done / total, 20)}  ${formatBytes(done)} of ${formatBytes(total)}  ${file}`),
  ).finally(() => line?.clear());
  if (checked.files.some(({ isSame }) => !isSame)) process.exitCode = exitCodes.failed;
  if (json) return printJson(checked);
  for (const { path, bytes, isSame } of checked.files) {
    print(
      `${isSame ? colors.green('same     ') : colors.red('different')}  ${formatBytes(bytes).padStart(8)}  ${path}`,
    );
  }
  if (process.exitCode === exitCodes.failed) printHint('remove it with `anneal models rm`, and pull it again');
}
