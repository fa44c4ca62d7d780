'use client';
import { usePathname, useRouter, useSearchParams } from 'next/navigation';
import { useTranslations } from 'use-intl';
import { unknownParts } from '../agent/addressKeys.ts';
import { Button } from './Button.tsx';

/** Says what of the address is left aside: a link of another version, or one that was mistyped. */
export function AddressNotice() {
  const t = useTranslations('address');
  const path = usePathname();
  const router = useRouter();
  const query = useSearchParams();
  const unknown = unknownParts(path, query);
  if (unknown.length === 0) return null;
  const clear = () => {
    const left = new URLSearchParams(query);
    for (const { key } of unknown) left.delete(key);
    router.replace(left.size > 0 ? `${path}?${left}` : path);
  };
  return (
    <div
      role="status"
      className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-2 rounded-lg border border-warn/30 bg-warn-soft px-4 py-2 text-[13px]"
    >
      <p className="min-w-0 grow basis-60 [overflow-wrap:anywhere]">
        {t('unknown', { parts: unknown.map(({ part }) => part).join(', ') })}
      </p>
      <Button onClick={clear}>{t('clear')}</Button>
    </div>
  );
}
