import { useRouter, useSearch } from '@tanstack/react-router';
import { useTitle } from '../layout/title.ts';
import { t } from '../texts/en.ts';
import { SignInForm } from './SignInForm.tsx';
import './session.css';

/** The demo account exists in `development` alone, which is where a page is opened from its own machine. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1'];

export function SignInPage() {
  const { to } = useSearch({ from: '/sign-in' });
  const router = useRouter();
  useTitle(t.session.signIn);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <p className="wordmark">{t.app.name}</p>
        <p className="soft">{t.session.claim}</p>
        <SignInForm kind="first" onDone={() => router.history.push(to ?? '/')} />
        {LOCAL_HOSTS.includes(location.hostname) && <p className="soft small">{t.session.demo}</p>}
      </div>
    </main>
  );
}
