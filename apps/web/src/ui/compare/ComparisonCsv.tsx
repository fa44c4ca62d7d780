import { agentPath } from '../../agent/paths.ts';
import { buttonClass } from '../Button.tsx';

/** A table of the runs, for other programs. @param steps the loss of every step, instead of what they came to */
export function ComparisonCsv({
  runs,
  title,
  steps = false,
}: {
  runs: readonly string[];
  title: string;
  steps?: boolean;
}) {
  const query = [...runs.map((run) => `run=${encodeURIComponent(run)}`), ...(steps ? ['steps'] : [])].join('&');
  return (
    <a
      href={agentPath(`/api/runs/comparison?${query}`)}
      download
      title={title}
      aria-label={`CSV: ${title}`}
      className={`${buttonClass()} h-7 px-2.5 text-[12.5px]`}
    >
      CSV
    </a>
  );
}
