import { environmentOf } from './config.loader.js';
import { load, problems } from './testing/loading.js';

it('counts an empty NODE_ENV as not set', () => {
  expect(environmentOf({ NODE_ENV: '' })).toBe('development');
  expect(load({ NODE_ENV: '' }).environment).toBe('development');
  expect(problems({ NODE_ENV: 'staging' })).toEqual([
    'NODE_ENV: "staging" is not one of development, test, production',
  ]);
});

it('accepts the log level in capitals', () => {
  expect(load({ LOG_LEVEL: 'DEBUG' }).log.level).toBe('debug');
  expect(load({ CAUDEX__LOG__LEVEL: 'Error' }).log.level).toBe('error');
  expect(problems({ LOG_LEVEL: 'LOUD' })).toEqual([
    'log.level (from LOG_LEVEL): "LOUD" is refused: "trace" or "debug" or "info" or "warn" or "error" or "fatal" or "silent" is needed',
  ]);
});

it('logs the calls between the servers in tests as in production', () => {
  expect(load({ NODE_ENV: 'test' }).log.level).toBe('info');
  expect(load({ NODE_ENV: 'test', LOG_LEVEL: '' }).log.level).toBe('info');
});
