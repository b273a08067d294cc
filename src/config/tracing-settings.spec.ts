import { load, problems } from './testing/loading.js';

describe('the settings of traces', () => {
  it('are off by default, and follow the standard variable', () => {
    expect(load({}).tracing).toEqual({ otlp_url: null, sample_ratio: 1 });
    expect(
      load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', CAUDEX__TRACING__SAMPLE_RATIO: '0.25' }).tracing,
    ).toEqual({ otlp_url: 'http://collector:4318', sample_ratio: 0.25 });
  });

  it.each([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' },
      'tracing.otlp_url (from OTEL_EXPORTER_OTLP_ENDPOINT): "collector:4317" is refused: an http:// or https:// URL is needed',
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/v1/traces/' },
      'tracing.otlp_url (from OTEL_EXPORTER_OTLP_ENDPOINT): "http://collector:4318/v1/traces/" is refused: the address without /v1/traces is needed',
    ],
    [
      { CAUDEX__TRACING__SAMPLE_RATIO: '1.5' },
      'tracing.sample_ratio (from CAUDEX__TRACING__SAMPLE_RATIO): 1.5 is too large; 1 at most',
    ],
    [
      { CAUDEX__TRACING__SAMPLE_RATIO: 'half' },
      'tracing.sample_ratio (from CAUDEX__TRACING__SAMPLE_RATIO): "half" is refused: a number is needed, this is text',
    ],
    [{ CAUDEX__TRACING__OTLP: 'x' }, 'tracing.otlp (from CAUDEX__TRACING__OTLP): there is no such setting'],
  ])('%j is refused, with its path and what would be right', (env, problem) => {
    expect(problems(env as Record<string, string>)).toEqual([problem]);
  });
});
