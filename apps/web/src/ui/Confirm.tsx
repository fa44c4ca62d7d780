'use client';
import { AlertDialog } from 'radix-ui';
import { useTranslations } from 'use-intl';
import { buttonClass } from './Button.tsx';

/** Asks before what cannot be taken back. The focus is on the way out. */
export function Confirm({
  open,
  onOpenChange,
  title,
  text,
  action,
  onConfirm,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  text: string;
  action: string;
  onConfirm: () => void;
}) {
  const t = useTranslations('run');
  return (
    <AlertDialog.Root open={open} onOpenChange={onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <AlertDialog.Content className="fixed top-[30%] left-1/2 z-50 grid w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 gap-2 rounded-xl border border-line bg-surface p-5 shadow-xl">
          <AlertDialog.Title className="font-semibold text-[15px]">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-muted [overflow-wrap:anywhere]">{text}</AlertDialog.Description>
          <div className="mt-3 flex justify-end gap-2">
            <AlertDialog.Cancel className={buttonClass()}>{t('cancel')}</AlertDialog.Cancel>
            <AlertDialog.Action className={buttonClass('danger')} onClick={onConfirm}>
              {action}
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
