import { useBackendAway } from '../api/connection.ts';
import { t } from '../texts/en.ts';

export function ConnectionLine() {
  const away = useBackendAway();
  return (
    <div role="status" className="connection-line">
      {away && <p>{t.connection.away}</p>}
    </div>
  );
}
