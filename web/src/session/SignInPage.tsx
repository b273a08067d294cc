import { useQuery } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { IssuerSignIn } from './IssuerSignIn.tsx';
import { providerQuery } from './provider.ts';
import { SignInForm } from './SignInForm.tsx';
import './session.css';

/** The demo account exists in `development` alone, which is where a page is opened from its own machine. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1'];

/** The query of the address as it came: the router reads a code of digits as a number. */
const OPENED_WITH = new URLSearchParams(location.search);

export function SignInPage() {
  const { to, invitation, code, error } = useSearch({ from: '/sign-in' });
  const { data: provider } = useQuery(providerQuery);
  const answer = code === undefined && error === undefined ? undefined : OPENED_WITH;
  const router = useRouter();
  useTitle(t.session.signIn);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <p className="wordmark">{t.app.name}</p>
        <p className="soft">{t.session.claim}</p>
        {provider?.provider === 'oidc' ? (
          <IssuerSignIn
            provider={provider}
            to={to ?? '/'}
            answer={answer}
            onDone={(place) => router.history.replace(place)}
          />
        ) : (
          <SignInForm
            kind="first"
            registration={provider?.registration ?? 'open'}
            invitation={invitation}
            onDone={() => router.history.push(to ?? '/')}
          />
        )}
        {provider?.provider === 'local' && LOCAL_HOSTS.includes(location.hostname) && (
          <p className="soft small">{t.session.demo}</p>
        )}
      </div>
    </main>
  );
}
