'use client';
import { AlertDialog } from 'radix-ui';
import { useTranslations } from 'use-intl';
import { buttonClass } from '../Button.tsx';

/** Asks once more before something is gone. Open while there is a title. */
export function Confirm({
  title,
  text,
  onClose,
  onConfirm,
}: {
  title: string | undefined;
  text: string;
  onClose: () => void;
  onConfirm: () => void;
}) {
  const t = useTranslations('access');
  return (
    <AlertDialog.Root open={title !== undefined} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <AlertDialog.Content className="fixed top-[30%] left-1/2 z-50 grid w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 gap-2 rounded-xl border border-line bg-surface p-5 shadow-xl">
          <AlertDialog.Title className="font-semibold text-[15px]">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-muted">{text}</AlertDialog.Description>
          <div className="mt-3 flex justify-end gap-2">
            <AlertDialog.Cancel className={buttonClass()}>{t('cancel')}</AlertDialog.Cancel>
            <AlertDialog.Action className={buttonClass('danger')} onClick={onConfirm}>
              {title}
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
