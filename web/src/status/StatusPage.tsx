import { useQuery } from '@tanstack/react-query';
import type { ServiceStatus } from '../api/shapes.ts';
import { Loading, LoadProblem } from '../layout/Problems.tsx';
import { useTitle } from '../layout/title.ts';
import { currentUser } from '../session/session.ts';
import { t } from '../texts/en.ts';
import { useLiveStatus } from './live-status.ts';
import { Outbox } from './Outbox.tsx';
import { ServiceCard } from './ServiceCard.tsx';
import { statusQuery, timelineQuery } from './status-query.ts';
import './status.css';

const EVERY_MS = 5000;

export function StatusPage() {
  useTitle(t.status.title);
  const live = useLiveStatus();
  const { data, error, refetch } = useQuery({ ...statusQuery, refetchInterval: EVERY_MS });
  const { data: timeline } = useQuery(timelineQuery);
  const operator = currentUser()?.operator ?? false;
  return (
    <div className="page status">
      <header className="row spread">
        <h1>{t.status.title}</h1>
        <span className="small soft" role="status">
          {live ? t.status.live : t.status.notLive}
        </span>
      </header>
      {data === undefined && error === null && <Loading lines={6} />}
      {data === undefined && error !== null && <LoadProblem error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <>
          <Summary services={data.services} />
          <ul className="plain-list services">
            {Object.entries(data.services).map(([name, service]) => (
              <ServiceCard
                key={name}
                name={name}
                service={service}
                timeline={timeline?.services[name]}
                operator={operator}
              />
            ))}
          </ul>
        </>
      )}
      {operator && <Outbox />}
    </div>
  );
}

/** What works now and what does not, for somebody who knows nothing of breakers. */
function Summary({ services }: { services: Record<string, ServiceStatus> }) {
  const away = Object.entries(services).filter(([, { state }]) => state !== 'closed');
  return (
    <div className={away.length === 0 ? 'summary' : 'summary summary-away'} role="status">
      {away.length === 0 ? (
        <p>{t.status.allWell}</p>
      ) : (
        away.map(([name]) => (
          <p key={name}>
            {t.status.isAway(t.degraded.services[name] ?? name)} {t.status.works[name]}
          </p>
        ))
      )}
    </div>
  );
}
