import { all, type Poison, put, times } from '../poison.js';

const word = (i: number) => ((i * 2654435761) % 1_679_616).toString(36);
const TEXT = times(300, (i) => `# s${i}\n\n${times(200, (k) => word(i * 200 + k)).join(' ')} zzq yyq\n\n`).join('');

export const poison: Poison = {
  name: 'a user searches for hundreds of phrases that every passage of a project holds',
  against: 'searches that grow with phrases times passages',
  send: async (stage) => {
    await put(stage, 'phrases.md', TEXT, 'text/markdown');
    const queries = ['"zzq yyq" '.repeat(100), '"zzq yyq"'.repeat(900), 'zzq '.repeat(2000), '"'.repeat(4000)];
    await all(queries.flatMap((query) => times(3, () => stage.attacker.search(stage.project, query))));
  },
};
