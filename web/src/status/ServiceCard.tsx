import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, dataOf } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import type { ServiceStatus, ServiceTimeline } from '../api/shapes.ts';
import { Dialog } from '../layout/Dialog.tsx';
import { t } from '../texts/en.ts';
import { formatAgo, formatDateTime, utc } from '../texts/format.ts';
import { Timeline } from './Timeline.tsx';

export function ServiceCard({
  name,
  service,
  timeline,
  operator,
}: {
  name: string;
  service: ServiceStatus;
  timeline: ServiceTimeline | undefined;
  operator: boolean;
}) {
  const { state, failure_count, last_failure, last_failure_reason, retry_after_ms, isolated_by } = service;
  const { misconfigured, last_rejection: rejection } = service;
  const isolated = isolated_by.length > 0;
  const trip = timeline?.changes.find(({ to }) => to === 'open');
  return (
    <li className={`service service-${state}`}>
      <div className="service-head">
        <h2>{service.service}</h2>
        <span className="service-state">{isolated ? t.status.isolatedState : t.status.states[state]}</span>
        {operator && <Steering name={name} title={service.service} isolated={isolated} />}
      </div>
      <Timeline title={service.service} timeline={timeline} />
      <p className="small soft">
        {last_failure === null ? (
          t.status.noFailure
        ) : (
          <span title={formatDateTime(utc(last_failure))}>
            {t.status.lastFailure(
              t.degraded.reasons[last_failure_reason ?? ''] ?? String(last_failure_reason),
              formatAgo(utc(last_failure)),
            )}
          </span>
        )}
        {failure_count > 0 && ` · ${t.status.failures(failure_count)}`}
      </p>
      {misconfigured && rejection !== null && (
        <p className="small service-refuses">{t.status.misconfigured(rejection.detail)}</p>
      )}
      {state !== 'closed' && trip !== undefined && (
        <p className="small">{t.status.lastTrip(trip.why, formatAgo(utc(trip.at)))}</p>
      )}
      {state !== 'closed' && !isolated && <NextTry key={retry_after_ms} afterMs={retry_after_ms ?? 0} />}
    </li>
  );
}

function NextTry({ afterMs }: { afterMs: number }) {
  const [leftMs, setLeftMs] = useState(afterMs);
  useEffect(() => {
    const timer = setInterval(() => setLeftMs((before) => Math.max(0, before - 1000)), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="small number">{leftMs > 0 ? t.status.nextTry(Math.ceil(leftMs / 1000)) : t.status.nextTryNow}</p>
  );
}

function Steering({ name, title, isolated }: { name: string; title: string; isolated: boolean }) {
  const [asking, setAsking] = useState(false);
  const params = { path: { service: name } } as never;
  const after = { onSuccess: () => queries.invalidateQueries({ queryKey: ['status'] }) };
  const releasing = useMutation({
    mutationFn: () => dataOf(api.POST('/v1/api/status/services/{service}/release', { params })),
    ...after,
  });
  const isolating = useMutation({
    mutationFn: (reason: string) =>
      dataOf(api.POST('/v1/api/status/services/{service}/isolate', { params, body: { reason } })),
    ...after,
  });
  const error = isolating.error ?? releasing.error;
  const problem = error !== null && (
    <p className="small form-problem" role="alert">
      {error.message}
    </p>
  );
  if (isolated) {
    return (
      <>
        <button className="button button-small" disabled={releasing.isPending} onClick={() => releasing.mutate()}>
          {t.status.release}
        </button>
        {problem}
      </>
    );
  }
  return (
    <>
      {problem}
      <button className="button button-quiet button-small" aria-haspopup="dialog" onClick={() => setAsking(true)}>
        {t.status.isolate}
      </button>
      <Dialog
        open={asking}
        title={t.status.isolateWhy(title)}
        what={t.status.isolateWhat}
        onClose={() => setAsking(false)}
      >
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            isolating.mutate(new FormData(event.currentTarget).get('reason') as string);
            setAsking(false);
          }}
        >
          <input className="input" name="reason" aria-label={t.status.reason} maxLength={500} required />
          <div className="row">
            <button className="button button-primary">{t.status.isolate}</button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
