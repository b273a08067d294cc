import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';
import { t } from '../texts/en.ts';

export interface DialogFrameProps {
  title: string;
  /** A sentence below the title. */
  what?: string;
  /** Without it the dialog can't be closed but by what it asks for. */
  onClose?: () => void;
  /** `drawer`: at the side, its title for screen readers alone. */
  form?: 'dialog' | 'drawer';
  children: ReactNode;
}

export default function DialogFrame({ title, what, onClose, form = 'dialog', children }: DialogFrameProps) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose?.()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-scrim" />
        <Dialog.Popup className={form}>
          <div className={form === 'drawer' ? 'drawer-head' : 'dialog-head'}>
            <Dialog.Title className={form === 'drawer' ? 'hidden-visually' : undefined}>{title}</Dialog.Title>
            {onClose !== undefined && <Dialog.Close className="button button-quiet">{t.app.close}</Dialog.Close>}
          </div>
          {what !== undefined && <Dialog.Description className="soft">{what}</Dialog.Description>}
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
