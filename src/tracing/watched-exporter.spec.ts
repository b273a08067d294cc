import { jest } from '@jest/globals';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { WatchedExporter } from './watched-exporter.js';

type Done = Parameters<SpanExporter['export']>[1];

describe('WatchedExporter', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('logs an unavailable collector once a minute, and passes every result on', () => {
    const said: string[] = [];
    const results: number[] = [];
    let error: Error | undefined = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
    const away: SpanExporter = {
      export: (_, done: Done) => done({ code: error === undefined ? 0 : 1, ...(error && { error }) }),
      shutdown: () => Promise.resolve(),
    };
    const exporter = new WatchedExporter(away, (why) => said.push(why));
    const send = () => exporter.export([], ({ code }) => results.push(code));

    for (let s = 0; s < 60; s++) {
      send();
      jest.advanceTimersByTime(1000);
    }
    expect(said).toEqual(['ECONNREFUSED connect refused']);
    send();
    expect(said).toHaveLength(2);
    jest.advanceTimersByTime(60_000);
    error = undefined;
    send();
    expect(said).toHaveLength(2);
    expect(results).toEqual([...Array<number>(61).fill(1), 0]);
  });
});
