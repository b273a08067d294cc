import { load, problems } from './testing/loading.js';

describe('the way to places outside', () => {
  it('is taken from the usual variables', () => {
    const env = { HTTP_PROXY: 'http://a:1', https_proxy: 'http://b:2', NO_PROXY: 'c,.d' };
    expect(load(env).proxy).toEqual({ http: 'http://a:1', https: 'http://b:2', no_proxy: 'c,.d' });
    expect(load({ HTTP_PROXY: '' }).proxy.http).toBeNull();
  });

  it('is refused where the address is invalid', () => {
    expect(problems({ HTTP_PROXY: 'proxy:3128' })).toEqual([expect.stringContaining('proxy.http')]);
    expect(problems({ CAUDEX__LLM__REQUEST__CA_FILE: '/no/such.pem' })).toEqual([
      'llm.request.ca_file: "/no/such.pem" is refused: there is no such file',
    ]);
  });
});
