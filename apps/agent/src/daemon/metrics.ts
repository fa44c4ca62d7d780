/** `/metrics`: what Prometheus scrapes, in its text form. */
import { openAlerts } from '@anneal/core/protocol/openAlerts';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { queueState } from './queue/queueState.ts';
import type { Agent } from './router/trpc.ts';

interface Metric {
  name: string;
  help: string;
  type?: 'gauge' | 'counter';
  values: readonly { labels?: Readonly<Record<string, string>>; value: number | null }[];
}

export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

export async function metricsText(agent: Agent): Promise<string> {
  const feeds = await agent.feeds.all();
  const runs = feeds.map((feed) => feed.summary);
  const { devices } = queueState(agent.queue.read(), feeds);
  const { cpu, memory, disk, gpus } = await agent.telemetry.sample();
  const training = runs.filter(({ state }) => state === 'running');
  const ofRun = (name: string, help: string, value: (run: ListedRun) => number | null): Metric => ({
    name: `anneal_run_${name}`,
    help,
    values: training.map((run) => ({ labels: { run: run.key }, value: value(run) })),
  });
  const ofGpu = (name: string, help: string, value: (gpu: NonNullable<typeof gpus>[number]) => number | null) => ({
    name: `anneal_gpu_${name}`,
    help,
    values: (gpus ?? []).map((gpu) => ({ labels: { gpu: String(gpu.index), name: gpu.name }, value: value(gpu) })),
  });
  const ofDevice = (name: string, help: string, value: (lane: (typeof devices)[number]) => number): Metric => ({
    name: `anneal_queue_${name}`,
    help,
    values: devices.map((lane) => ({ labels: { device: lane.device }, value: value(lane) })),
  });
  const states = Map.groupBy(runs, ({ state }) => state);
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const metrics: Metric[] = [
    one('anneal_info', 'Version of the agent.', 1, { version: agent.version }),
    {
      name: 'anneal_runs',
      help: 'Runs below the folder that is served, by state.',
      values: [...states].map(([state, { length }]) => ({ labels: { state }, value: length })),
    },
    ofRun('step', 'Last optimizer step of a run that trains.', ({ step }) => step),
    ofRun('steps', 'Optimizer steps that it will have.', ({ totalSteps }) => totalSteps),
    ofRun('loss', 'Loss of its last step.', ({ loss }) => loss),
    ofRun('tokens_per_second', 'Its speed.', ({ tokensPerSecond }) => tokensPerSecond),
    {
      name: 'anneal_run_alerts',
      help: 'Alerts of a run that nobody has acknowledged, by kind.',
      values: runs.flatMap(({ key, alerts }) =>
        [...Map.groupBy(openAlerts(alerts), ({ code }) => code)].map(([alert, { length }]) => ({
          labels: { run: key, alert },
          value: length,
        })),
      ),
    },
    ofDevice('waiting', 'Runs that wait for a device.', ({ waiting }) => waiting.length),
    ofDevice('running', 'Runs that train on it.', ({ running }) => running.length),
    ofDevice('concurrency', 'Runs that it may train at a time.', ({ concurrency }) => concurrency),
    one('anneal_models_loaded', 'Models that are in memory to be talked to.', agent.models.list().length),
    one('anneal_cpu_busy_ratio', 'Share of all cores that was busy since the last sample.', cpu.busy),
    one('anneal_load_average', 'Mean of the last minute.', cpu.load),
    one('anneal_memory_total_bytes', 'Memory of the host.', memory.total),
    one('anneal_memory_available_bytes', 'What is left of it.', memory.available),
    one('anneal_disk_total_bytes', 'Disk of the folder that is served.', disk.total),
    one('anneal_disk_free_bytes', 'What is left of it.', disk.free),
    ofGpu('memory_used_bytes', 'Memory of a GPU that is in use.', (gpu) => gpu.memory.used),
    ofGpu('memory_total_bytes', 'Memory of a GPU.', (gpu) => gpu.memory.total),
    ofGpu('utilization_ratio', 'Share of time in which a GPU computes.', (gpu) => gpu.utilization),
    ofGpu('celsius', 'Temperature of a GPU.', (gpu) => gpu.celsius),
    ofGpu('watts', 'Power of a GPU.', (gpu) => gpu.watts),
    one('process_resident_memory_bytes', 'Memory of the agent itself.', rss),
    { ...one('process_cpu_seconds_total', 'Time that it has computed.', (user + system) / 1e6), type: 'counter' },
  ];
  return metrics.map(linesOf).join('');
}

function one(name: string, help: string, value: number, labels: Readonly<Record<string, string>> = {}): Metric {
  return { name, help, values: [{ labels, value }] };
}

/** What is not known now has no line. */
function linesOf({ name, help, type = 'gauge', values }: Metric): string {
  const known = values.filter(({ value }) => value !== null);
  if (known.length === 0) return '';
  const lines = known.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
