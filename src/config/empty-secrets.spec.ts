import { secretsSchema } from './config.schema.js';
import { load, problems } from './testing/loading.js';

const TOKEN = '9f2c4e7ab81d03564f6e8a90b7c1d2e3f4a5968778695a4b';
/** The variable of every secret. */
const VARIABLES = Object.keys(secretsSchema.shape).map((name) =>
  name === 'llm_api_keys' ? 'LLM_API_KEY' : name.toUpperCase(),
);

describe.each(['development', 'production'])('in %s', (environment) => {
  const base = { NODE_ENV: environment, INTERNAL_SERVICE_TOKEN: TOKEN };

  it.each(VARIABLES.filter((name) => name !== 'INTERNAL_SERVICE_TOKEN'))('treats an empty %s as unset', (name) => {
    for (const empty of ['', ' ', '\n']) expect(load({ ...base, [name]: empty }).secrets).toEqual(load(base).secrets);
  });
});

it('covers the variable of every secret', () => {
  for (const name of VARIABLES) {
    const value = name === 'DATABASE_URL' ? 'postgres://localhost/caudex' : 'a-value-of-this-secret';
    expect(load({ INTERNAL_SERVICE_TOKEN: TOKEN, [name]: value }).secrets).not.toEqual(
      load({ INTERNAL_SERVICE_TOKEN: TOKEN }).secrets,
    );
  }
});

it('refuses an empty INTERNAL_SERVICE_TOKEN in production like a missing one', () => {
  for (const empty of ['', '  ']) {
    expect(problems({ NODE_ENV: 'production', INTERNAL_SERVICE_TOKEN: empty })).toEqual(
      problems({ NODE_ENV: 'production' }),
    );
  }
  expect(load({ INTERNAL_SERVICE_TOKEN: '' }).secrets).toEqual(load({}).secrets);
});

it('refuses a DATABASE_URL of another database, without showing its password', () => {
  for (const url of ['mysql://caudex:s3cret@db/caudex', 'caudex:s3cret@db', 's3cret']) {
    expect(problems({ DATABASE_URL: url })).toEqual([
      'DATABASE_URL: a URL like postgres://user:password@host:5432/database is needed',
    ]);
  }
});
