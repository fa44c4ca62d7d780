'use client';
import { useTranslations } from 'use-intl';
import { useAbout } from '../../src/agent/hooks.ts';
import { useDevices } from '../../src/agent/useDevices.ts';
import { useHost } from '../../src/agent/useHost.ts';
import { useQueue } from '../../src/agent/useQueue.ts';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';
import { DeviceCard } from '../../src/ui/host/DeviceCard.tsx';
import { Doctor } from '../../src/ui/host/Doctor.tsx';
import { HostFigures } from '../../src/ui/host/HostFigures.tsx';
import { LoadedModels } from '../../src/ui/host/LoadedModels.tsx';
import { useQueueDrag } from '../../src/ui/host/useQueueDrag.ts';

export default function HostScreen() {
  const t = useTranslations('host');
  const about = useAbout();
  const { queue, error: queueError } = useQueue();
  const { samples, error: hostError } = useHost();
  const error = queueError ?? hostError;
  const devices = useDevices();
  const drag = useQueueDrag();
  const isHere = queue !== undefined && samples.length > 0;
  const titles = new Map(devices?.map(({ name, title }) => [name, title]));
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-5 flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
        {about && <span className="font-mono text-[12.5px] text-muted">{about.host}</span>}
      </div>
      {error !== undefined && <ErrorNote error={shownError(error)} />}
      {!isHere && error === undefined && (
        <p className="text-muted" role="status">
          {t('loading')}…
        </p>
      )}
      {/* Together, so that none of them moves another. */}
      <div className={`grid gap-5 ${isHere || error !== undefined ? '' : 'hidden'}`}>
        <HostFigures samples={samples} />
        {queue?.devices.map((lane) => (
          <DeviceCard
            key={lane.device}
            lane={lane}
            title={titles.get(lane.device)}
            gpu={samples.at(-1)?.gpus?.find(({ device }) => device === lane.device)}
            drag={drag}
          />
        ))}
        <LoadedModels models={samples.at(-1)?.models ?? []} />
        <Doctor />
      </div>
    </>
  );
}
