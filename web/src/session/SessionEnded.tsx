import { useSignedOut } from '../api/connection.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { SignInForm } from './SignInForm.tsx';

/** Asks for the password over the page as it is: nothing that was typed goes away. */
export function SessionEnded() {
  return (
    <Dialog open={useSignedOut()} title={t.session.endedTitle} what={t.session.ended}>
      <SignInForm kind="renew" onDone={() => undefined} />
    </Dialog>
  );
}
