import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { ApiProblem, BackendAway } from '../api/client.ts';
import { t } from '../texts/en.ts';
import { register, signIn } from './session.ts';

/** @param kind `renew`: the session of an account ended; there is nothing to register then */
export function SignInForm({ kind, onDone }: { kind: 'first' | 'renew'; onDone: () => void }) {
  const [registering, setRegistering] = useState(false);
  const id = useId();
  const entering = useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) =>
      (registering ? register : signIn)(email, password),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    entering.mutate({ email: form.get('email') as string, password: form.get('password') as string });
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
      <p className="form-problem" role="alert">
        {entering.error !== null && explain(entering.error)}
      </p>
      <button className="button button-primary" disabled={entering.isPending}>
        {registering ? t.session.register : t.session.signIn}
      </button>
      {kind === 'first' && (
        <button
          type="button"
          className="button button-quiet"
          onClick={() => {
            entering.reset();
            setRegistering(!registering);
          }}
        >
          {registering ? t.session.toSignIn : t.session.toRegister}
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
