import { keyOf, modelNames, settingsOf } from './llm-models.js';
import { load, problems } from './testing/loading.js';

const models = (env: Record<string, string>) => {
  const config = load(env);
  const names = [config.llm.model, ...config.llm.fallbacks.map(({ model }) => model)];
  return modelNames(config).map((client, i) => [
    client,
    settingsOf(config, client).url,
    names[i],
    keyOf(config, client),
  ]);
};
const [A, B, C] = ['https://a.example/v1', 'https://b.example/v1', 'https://c.example/v1'];

describe('the models', () => {
  it('may be absent, or a single one', () => {
    expect(models({})).toEqual([['llm', null, null, undefined]]);
    expect(models({ LLM_BASE_URL: A, LLM_MODEL: 'm', LLM_API_KEY: 'k' })).toEqual([['llm', A, 'm', 'k']]);
  });

  it('are a list, with a model and a key for each or one for all', () => {
    expect(models({ LLM_BASE_URL: `${A}, ${B},${C}`, LLM_MODEL: 'm,n,o', LLM_API_KEY: 'j,,l' })).toEqual([
      ['llm', A, 'm', 'j'],
      ['llm_2', B, 'n', undefined],
      ['llm_3', C, 'o', 'l'],
    ]);
    expect(models({ LLM_BASE_URL: `${A},${B}`, LLM_MODEL: 'm', LLM_API_KEY: 'k' })).toEqual([
      ['llm', A, 'm', 'k'],
      ['llm_2', B, 'm', 'k'],
    ]);
  });

  it('take the settings of the first one except its address', () => {
    const config = load({
      LLM_BASE_URL: `${A},${B}`,
      LLM_MODEL: 'm',
      CAUDEX__DOWNSTREAM__LLM__TIMEOUT_MS: '1234',
    });
    expect(settingsOf(config, 'llm_2')).toEqual({ ...config.downstream.llm, url: B });
    expect(settingsOf(config, 'git')).toBe(config.downstream.git);
  });

  it.each([
    [{ LLM_BASE_URL: `${A},${B},${C}`, LLM_MODEL: 'm,n' }, 'LLM_MODEL: 2 models for 3 addresses'],
    [{ LLM_BASE_URL: A, LLM_MODEL: 'm,n' }, 'LLM_MODEL: 2 models for 1 addresses'],
    [{ LLM_BASE_URL: `${A},${B},${C}`, LLM_MODEL: 'm', LLM_API_KEY: 'j,k' }, 'LLM_API_KEY: 2 keys for 3 models'],
    [{ LLM_BASE_URL: `${A},nonsense`, LLM_MODEL: 'm' }, 'llm.fallbacks.0.url (from LLM_BASE_URL): "nonsense"'],
    [{ LLM_BASE_URL: `${A},,${B}`, LLM_MODEL: 'm' }, 'llm.fallbacks.0.url (from LLM_BASE_URL): ""'],
  ])('refuses %j', (env, problem) => {
    expect(problems(env).join('\n')).toContain(problem);
  });

  it('are shown without their keys', () => {
    expect(problems({ LLM_BASE_URL: A, LLM_MODEL: 'm', LLM_API_KEY: 'top,secret' }).join()).not.toMatch(/top|secret/);
  });
});
