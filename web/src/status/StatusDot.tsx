import { useQuery } from '@tanstack/react-query';
import { t } from '../texts/en.ts';
import { statusQuery } from './status-query.ts';

/** Beside the section's name: whether something is amiss; says nothing while all is well. */
export function StatusDot() {
  const { data } = useQuery({ ...statusQuery, refetchInterval: 20_000 });
  const away = Object.entries(data?.services ?? {}).filter(([, { state }]) => state !== 'closed');
  if (away.length === 0) return null;
  const names = away.map(([name]) => t.degraded.services[name] ?? name).join(', ');
  return (
    <span className="status-dot" title={t.connection.partly(names)}>
      <span className="hidden-visually">{t.connection.partly(names)}</span>
    </span>
  );
}
