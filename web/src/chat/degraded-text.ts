import type { Degradation } from '../api/shapes.ts';
import { t } from '../texts/en.ts';

/** What matters most to a reader comes first. */
const ORDER = ['none', 'fulltext', 'cache', 'extractive', 'next_model', 'grace', 'outbox', 'unmetered'];

function rank({ service, fallback }: Degradation[number]): number {
  // Without the history and the graph an answer has its passages all the same.
  const place = service === 'git' ? -1 : ORDER.indexOf(fallback);
  return place < 0 ? ORDER.length : place;
}

const serviceName = (service: string) =>
  t.degraded.services[service] ?? (service.startsWith('llm') ? (t.degraded.services['llm'] ?? service) : service);

/** One sentence: what was worked around, and what that means. */
export function degradedLine(degradation: Degradation, kind: 'answer' | 'search'): string | undefined {
  const [first] = [...degradation].sort((a, b) => rank(a) - rank(b));
  if (first === undefined) return undefined;
  const lines = kind === 'search' ? { ...t.degraded.lines, ...t.degraded.searchLines } : t.degraded.lines;
  return (lines[first.fallback] ?? lines['none'])?.(serviceName(first.service));
}

/** Every service that was worked around, with the reason and what came in its place. */
export function degradedDetails(degradation: Degradation): string[] {
  return degradation.map(({ service, reason, fallback }) =>
    t.degraded.detail(
      serviceName(service),
      t.degraded.reasons[reason] ?? reason,
      t.degraded.fallbacks[fallback] ?? fallback,
    ),
  );
}
