import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { t } from '../texts/en.ts';
import type { SignInProvider } from './provider.ts';
import { keepSession, wasSignedOut } from './session.ts';
import { persistently } from '../layout/lazily.ts';

const loadIssuer = () => persistently(() => import('./issuer.ts'));

/**
 * Sign-in at an OpenID Connect issuer: opens its page, and completes the sign-in after its redirect.
 * @param answer the query of the address to which the issuer redirected; undefined: no sign-in to complete
 */
export function IssuerSignIn({
  provider: { issuer, client_id },
  to,
  answer,
  onDone,
}: {
  provider: SignInProvider;
  to: string;
  answer?: URLSearchParams | undefined;
  onDone: (to: string) => void;
}) {
  const going = useMutation({
    mutationFn: async (known: { issuer: string; client_id: string }) =>
      (await loadIssuer()).goToIssuer(known, to, wasSignedOut()),
  });
  const coming = useMutation({
    mutationFn: async (given: URLSearchParams) => {
      const { token, to: place } = await (await loadIssuer()).idTokenFrom(given);
      await keepSession(token);
      return place;
    },
    onSuccess: onDone,
  });
  // A code can be used once.
  const taken = useRef<URLSearchParams>(undefined);
  const { mutate } = coming;
  useEffect(() => {
    if (answer === undefined || taken.current !== undefined) return;
    taken.current = answer;
    mutate(answer);
  }, [answer, mutate]);

  const host = issuer !== null && URL.canParse(issuer) ? new URL(issuer).host : (issuer ?? '');
  const problem = going.error ?? coming.error;
  return (
    <div className="stack">
      <h1>{t.session.signInTitle}</h1>
      {issuer === null || client_id === null ? (
        <p>{t.session.elsewhere(issuer ?? '')}</p>
      ) : (
        <>
          <p className="soft">{t.session.atIssuer(host)}</p>
          <p className="form-problem" role="alert">
            {problem?.message}
          </p>
          <button
            className="button button-primary"
            disabled={going.isPending || coming.isPending}
            onClick={() => going.mutate({ issuer, client_id })}
          >
            {coming.isPending ? t.session.comingBack : t.session.toIssuer(host)}
          </button>
        </>
      )}
    </div>
  );
}
