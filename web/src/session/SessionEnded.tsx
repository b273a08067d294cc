import { Dialog } from '@base-ui/react/dialog';
import { useSignedOut } from '../api/connection.ts';
import { t } from '../texts/en.ts';
import { SignInForm } from './SignInForm.tsx';

/** Asks for the password over the page as it is: nothing that was typed goes away. */
export function SessionEnded() {
  const ended = useSignedOut();
  return (
    <Dialog.Root open={ended}>
      <Dialog.Portal>
        <Dialog.Backdrop className="dialog-scrim" />
        <Dialog.Popup className="dialog">
          <Dialog.Title>{t.session.endedTitle}</Dialog.Title>
          <Dialog.Description className="soft">{t.session.ended}</Dialog.Description>
          <SignInForm kind="renew" onDone={() => undefined} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
