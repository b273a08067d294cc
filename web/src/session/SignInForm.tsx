import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { ApiProblem, BackendAway } from '../api/client.ts';
import { t } from '../texts/en.ts';
import type { SignInProvider } from './provider.ts';
import { register, signIn } from './session.ts';

/**
 * @param kind `renew`: the session of an account ended
 * @param invitation the token of the address with which the page was opened
 */
export function SignInForm({
  kind,
  registration,
  invitation,
  onDone,
}: {
  kind: 'first' | 'renew';
  registration: NonNullable<SignInProvider['registration']>;
  invitation?: string | undefined;
  onDone: () => void;
}) {
  const [isRegistering, setRegistering] = useState(invitation !== undefined);
  const registering = isRegistering && registration !== 'closed';
  const id = useId();
  const entering = useMutation({
    mutationFn: ({ email, password, token }: { email: string; password: string; token: string | null }) =>
      registering ? register(email, password, token) : signIn(email, password),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    entering.mutate({
      email: form.get('email') as string,
      password: form.get('password') as string,
      token: form.get('invitation') as string | null,
    });
  };

  return (
    <form className="stack" onSubmit={submit}>
      {kind === 'first' && <h1>{registering ? t.session.registerTitle : t.session.signInTitle}</h1>}
      <div className="field">
        <label htmlFor={`${id}-email`}>{t.session.email}</label>
        <input className="input" id={`${id}-email`} name="email" type="email" autoComplete="username" required />
      </div>
      <div className="field">
        <label htmlFor={`${id}-password`}>{t.session.password}</label>
        <input
          className="input"
          id={`${id}-password`}
          name="password"
          type="password"
          autoComplete={registering ? 'new-password' : 'current-password'}
          required
        />
      </div>
      {registering && registration === 'invited' && (
        <div className="field">
          <label htmlFor={`${id}-invitation`}>{t.session.invitation}</label>
          <input
            className="input"
            id={`${id}-invitation`}
            name="invitation"
            defaultValue={invitation}
            autoComplete="off"
            maxLength={200}
            required
          />
        </div>
      )}
      <p className="form-problem" role="alert">
        {entering.error !== null && explain(entering.error)}
      </p>
      <button className="button button-primary" disabled={entering.isPending}>
        {registering ? t.session.register : t.session.signIn}
      </button>
      {registration !== 'closed' && (
        <button
          type="button"
          className="button button-quiet"
          onClick={() => {
            entering.reset();
            setRegistering(!registering);
          }}
        >
          {registering ? t.session.toSignIn : registration === 'invited' ? t.session.toInvited : t.session.toRegister}
        </button>
      )}
    </form>
  );
}

function explain(error: Error): string {
  if (error instanceof BackendAway) return t.problem.away;
  if (error instanceof ApiProblem && error.code === 'invalid_credentials') return t.session.wrong;
  if (error instanceof ApiProblem && error.code === 'account_disabled') return t.session.disabled;
  if (error instanceof ApiProblem && error.status >= 502) return t.session.authAway;
  return error.message;
}
