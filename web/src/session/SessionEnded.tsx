import { useQuery } from '@tanstack/react-query';
import { useSignedOut } from '../api/connection.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { IssuerSignIn } from './IssuerSignIn.tsx';
import { providerQuery } from './provider.ts';
import { SignInForm } from './SignInForm.tsx';

/** Asks for the password over the page as it is: nothing that was typed goes away. */
export function SessionEnded() {
  const open = useSignedOut();
  const { data: provider } = useQuery({ ...providerQuery, enabled: open });
  return (
    <Dialog open={open} title={t.session.endedTitle} what={t.session.ended}>
      {provider?.provider === 'oidc' ? (
        <IssuerSignIn provider={provider} to={location.pathname + location.search} onDone={() => undefined} />
      ) : (
        <SignInForm kind="renew" registration="closed" onDone={() => undefined} />
      )}
    </Dialog>
  );
}
