import type { ServiceTimeline } from '../api/shapes.ts';
import { t } from '../texts/en.ts';
import { formatTime } from '../texts/format.ts';
import { hourOf } from './hour.ts';

const STEP = 10;
const HEIGHT = 44;
const STATE_HEIGHT = 4;

/** A bar a minute: its height is the slowest attempt, failures are filled; the line below is the breaker. */
export function Timeline({ title, timeline }: { title: string; timeline: ServiceTimeline | undefined }) {
  if (timeline === undefined) return <div className="timeline" />;
  const bars = hourOf(timeline, new Date());
  const slowest = Math.max(1, ...bars.map(({ slowestMs }) => slowestMs));
  const sum = (of: (bar: (typeof bars)[number]) => number) => bars.reduce((total, bar) => total + of(bar), 0);
  const label = t.status.timelineLabel(
    title,
    sum(({ attempts }) => attempts),
    sum(({ failures }) => failures),
  );
  const room = HEIGHT - STATE_HEIGHT - 4;
  return (
    <figure className="timeline-figure">
      <svg
        className="timeline"
        viewBox={`0 0 ${bars.length * STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        {bars.map(({ at, attempts, failures, slowestMs, state }, index) => {
          const height = attempts === 0 ? 0 : Math.max(3, Math.sqrt(slowestMs / slowest) * room);
          const failed = attempts === 0 ? 0 : (height * failures) / attempts;
          const x = index * STEP + 1;
          return (
            <g key={index}>
              <title>{t.status.minute(formatTime(at), attempts, failures, slowestMs)}</title>
              <rect className="minute" x={x} y={room - height} width={STEP - 2} height={height} />
              <rect className="minute-failed" x={x} y={room - failed} width={STEP - 2} height={failed} />
              <rect
                className={`minute-${state}`}
                x={index * STEP}
                y={HEIGHT - STATE_HEIGHT}
                width={STEP}
                height={STATE_HEIGHT}
              />
            </g>
          );
        })}
      </svg>
      <figcaption className="row spread small soft number">
        <span>{t.status.timeline}</span>
        <span>{slowest > 1 && t.status.slowest(slowest)}</span>
      </figcaption>
    </figure>
  );
}
