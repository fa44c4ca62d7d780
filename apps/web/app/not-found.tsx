'use client';
import Link from 'next/link';
import { useTranslations } from 'use-intl';
import { Empty } from '../src/ui/Empty.tsx';

export default function NotFound() {
  const t = useTranslations('notFound');
  return (
    <Empty title={t('title')}>
      <Link href="/" className="text-ember underline underline-offset-2">
        {t('back')}
      </Link>
    </Empty>
  );
}
