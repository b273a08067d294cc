import { analyse, tellingTerms } from './analysis.js';
import { titleOf } from './title.js';

describe('analyse', () => {
  it.each([
    ['The connections were connected', 'en', ['the', 'connect', 'were', 'connect'], []],
    ['Crème BRÛLÉE ﬁne', 'en', ['creme', 'brulee', 'fine'], ['brule']],
    ["Newton's law isn’t", 'en', ['newton', 'law', 'isn'], ['newton', 'isnt']],
    ['日本語 a', 'ja', ['日本', '本語', 'a'], []],
    ['readFileSync', 'en', ['read', 'file', 'sync'], ['readfilesync']],
    ['get_user_by_id', 'en', ['get', 'user', 'by', 'id'], ['getuserbyid']],
    ['HTTPServerFactory', 'en', ['http', 'server', 'factori'], ['httpserverfactori']],
    ['--no-sponge-cache', 'en', ['no', 'spong', 'cach'], ['nospongecach']],
    ['OPS-31415', 'en', ['op', '31415'], ['ops31415']],
    ['v1.25 42', 'en', ['v1', '25', '42'], ['v125']],
    ['使用Docker部署', 'zh', ['使用', 'docker', '部署'], []],
    ['設定ファイルconnections', 'ja', ['設定', '定フ', 'ファ', 'ァイ', 'イル', 'connect'], []],
    ['연결connections', 'ko', ['연결', 'connect'], []],
    ['한국어', 'ko', ['한국', '국어'], ['한국어']],
    ['l’électricité', 'fr', ['electr'], ['electricit']],
    ['C++ und C#', 'de', ['c', 'und', 'c'], ['c++', 'c#']],
  ])('%s (%s)', (text, language, terms, extras) => {
    const found = analyse(text, language);
    expect(found.terms).toEqual(terms);
    for (const extra of extras) expect(found.extras).toContain(extra);
    if (extras.length === 0) expect(found.extras.filter((extra) => !terms.includes(extra))).toEqual([]);
  });

  it('removes stop words from the terms that carry the meaning of a text', () => {
    expect(tellingTerms('The IT department of the WHO')).toEqual(['depart']);
  });

  it('bounds the length of terms that are not words', () => {
    expect(analyse('x'.repeat(1_000_000), 'en').terms).toEqual(['x'.repeat(64)]);
  });

  it.each([
    ['joined words', 'a-'.repeat(500_000)],
    ['apostrophes', "l'".repeat(500_000)],
    ['capitals', 'aB'.repeat(500_000)],
    ['characters without spaces', '日'.repeat(1_000_000)],
    ['marks', 'e' + '\u0301'.repeat(1_000_000)],
    ['scripts by turns', '日a'.repeat(500_000)],
  ])('takes linear time: %s', (_, text) => {
    // Of this process alone: the machine may be busy with others.
    const before = process.cpuUsage();
    analyse(text, 'en');
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000);
  });
});

describe('titleOf', () => {
  it('takes the first heading, otherwise the file name', () => {
    expect(titleOf('notes/a.md', 'Some words.\n\n# A title #\n', 'text/markdown')).toBe('A title');
    expect(titleOf('notes/a.md', 'Some words.', 'text/markdown')).toBe('a.md');
  });
});
