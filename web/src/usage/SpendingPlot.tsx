import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatNumber } from '../texts/format.ts';
import type { DaySpending } from './spending.ts';

const HEIGHT_PX = 200;
const HALF_DAY_S = 43_200;

/** Bars, one a day. The table beside it says the same for those who do not see it. */
export default function SpendingPlot({ days }: { days: DaySpending[] }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const container = place.current;
    if (container === null) return;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(container.clientWidth), dataOf(days), container);
    };
    let plot: uPlot | undefined;
    const resized = new ResizeObserver(draw);
    resized.observe(container);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [days]);
  return <div ref={place} className="plot-place" aria-hidden="true" />;
}

function options(width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--ink-soft'),
    font: `12px ${style.getPropertyValue('--font')}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const dayName = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_, min, max) => [min - HALF_DAY_S, max + HALF_DAY_S] },
      y: { range: (_, _min, max) => [0, Math.max(5, max * 1.1)] },
    },
    axes: [
      { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((at) => dayName.format(at * 1000)), space: 70 },
      {
        ...axis,
        size: 44,
        values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? formatNumber(tick) : '')),
      },
    ],
    series: [
      {},
      {
        fill: colour('--accent'),
        stroke: colour('--accent'),
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars?.({ size: [0.6, 24], radius: 0.2 }),
      },
    ],
  };
}

const dataOf = (days: DaySpending[]): uPlot.AlignedData => [
  days.map(({ day }) => day.getTime() / 1000),
  days.map(({ credits }) => credits),
];
