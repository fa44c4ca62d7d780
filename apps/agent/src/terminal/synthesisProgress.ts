import type { SynthesisEstimate, SynthesisProgress } from '@anneal/core/protocol/synthesis';
import { formatCount, formatDuration } from '../units.ts';
import { remark } from './print.ts';
import { barBefore, ProgressLine } from './progressLine.ts';

/** On stderr: whom it asks, and a line on a terminal, otherwise one for each tenth. The estimate is said once, after the samples. */
export function showSynthesisProgress({ sayEstimate }: { sayEstimate: (estimate: SynthesisEstimate) => void }): {
  show(progress: SynthesisProgress): void;
  end(): void;
} {
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  let started = performance.now();
  let first: number | undefined;
  let isSaid = false;
  let tenth = -1;
  const asked = new Set<string>();
  let shown: SynthesisProgress['phase'] | undefined;
  return {
    show(progress) {
      const { phase, url, answered, requests, estimate } = progress;
      if (!asked.has(url) && answered < requests) {
        line?.clear();
        remark(`asking ${url}`);
        asked.add(url);
      }
      if (phase === 'judging' && shown !== phase) {
        first = undefined;
        tenth = -1;
        started = performance.now();
      }
      shown = phase;
      first ??= answered;
      if (estimate && estimate.requests > 0 && !isSaid) {
        isSaid = true;
        line?.clear();
        sayEstimate(estimate);
      }
      const perAnswer = (performance.now() - started) / (answered - first);
      const left = answered > first ? `, ${formatDuration(perAnswer * (requests - answered))} left` : '';
      const text = `${describe(progress)}${left}`;
      if (line) return line.show(barBefore(text, answered / Math.max(1, requests), process.stderr.columns));
      const now = Math.floor((10 * answered) / Math.max(1, requests));
      if (now > tenth) remark(text);
      tenth = Math.max(tenth, now);
    },
    end: () => line?.clear(),
  };
}

function describe({
  phase,
  answered,
  requests,
  failed,
  retries,
  promptTokens,
  completionTokens,
}: SynthesisProgress): string {
  const parts = [
    `${formatCount(answered)} of ${formatCount(requests)} ${phase === 'judging' ? 'judged' : 'answered'}`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(retries > 0 ? [`${formatCount(retries)} asked again`] : []),
    ...(promptTokens + completionTokens > 0
      ? [`${formatCount(promptTokens)} tokens sent, ${formatCount(completionTokens)} answered`]
      : []),
  ];
  return parts.join(', ');
}
