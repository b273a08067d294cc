import type { Degradation } from '../api/shapes.ts';
import { t } from '../texts/en.ts';
import { degradedDetails, degradedLine } from './degraded-text.ts';
import './degraded.css';

/** One quiet line, with the details a click away. */
export function DegradedLine({ degradation, kind }: { degradation: Degradation; kind: 'answer' | 'search' }) {
  const line = degradedLine(degradation, kind);
  if (line === undefined) return null;
  return (
    <details className="degraded">
      <summary>
        {line} <span className="degraded-more">{t.degraded.details(degradation.length)}</span>
      </summary>
      <ul>
        {degradedDetails(degradation).map((detail) => (
          <li key={detail}>{detail}</li>
        ))}
      </ul>
    </details>
  );
}
