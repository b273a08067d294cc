import { openDatabase } from '../../../../storage/sqlite.js';
import { documentFacts } from './document-facts.js';
import type { GraphChange, GraphStore } from './graph-store.js';
import { Neo4jGraphStore } from './neo4j-graph.store.js';
import { EDGES_BACK, GRAPH_TABLES, SqliteGraphStore } from './sqlite-graph.store.js';

/** A real Neo4j to test against, for instance bolt://127.0.0.1:7687; `.ci/neo4j` starts one. */
const NEO4J = process.env['NEO4J_TEST_URL'];
const PASSWORD = process.env['NEO4J_TEST_PASSWORD'];
if (NEO4J === undefined) console.warn('NEO4J_TEST_URL is not set: the graph is tested in SQLite alone');

const stores: { name: string; open: (() => GraphStore) | null }[] = [
  { name: 'SQLite', open: () => new SqliteGraphStore(openDatabase(':memory:', [GRAPH_TABLES, EDGES_BACK])) },
  {
    name: 'Neo4j',
    open:
      NEO4J === undefined
        ? null
        : () => new Neo4jGraphStore({ url: NEO4J, user: 'neo4j', password: PASSWORD, connectMs: 2000 }),
  },
];

const ADA = { name: 'Ada', email: 'ada@example.org' };
let count = 0;

async function change(
  path: string,
  text: string | null | undefined,
  more: Partial<GraphChange> = {},
): Promise<GraphChange> {
  const facts = typeof text === 'string' ? await documentFacts(path, text) : text;
  return { path, facts, author: ADA, message: `Save ${path}`, commit: `c${++count}`, ...more };
}

for (const { name, open } of stores) {
  (open === null ? describe.skip : describe)(`the graph in ${name}`, () => {
    const run = Math.random().toString(36).slice(2);
    let graph: GraphStore;
    const project = () => ({ userId: `ada-${run}`, projectId: `p${++count}` });
    const made: { userId: string; projectId: string }[] = [];
    const fresh = () => {
      const key = project();
      made.push(key);
      return key;
    };
    const all = async (key: ReturnType<typeof project>) => {
      const { nodes, edges } = await graph.graph(key, 1000);
      return {
        nodes: nodes.map(({ id, kind, label }) => `${kind} ${id} ${label}`).sort(),
        edges: edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`).sort(),
      };
    };

    beforeAll(() => {
      graph = (open as () => GraphStore)();
    });
    afterAll(async () => {
      for (const key of made) await graph.drop(key);
      await graph.close();
    });

    it('stores documents, headings, authors, commits and terms, and the edges between them', async () => {
      const key = fresh();
      const text = '# Pears\n\nA pear is a pear. See [the cellar](storage.md) and [[plums]].';
      await graph.apply(key, [await change('pears.md', text, { commit: 'c1', message: 'Plant' })]);
      await graph.apply(key, [await change('storage.md', 'Cold.', { commit: 'c2', message: 'Store' })]);
      expect(await all(key)).toEqual({
        nodes: [
          'commit commit:c1 Plant',
          'commit commit:c2 Store',
          'document document:pears.md pears.md',
          'document document:storage.md storage.md',
          'heading heading:pears.md#Pears Pears',
          'person person:ada@example.org Ada',
          'term term:pear pear',
        ],
        edges: [
          'commit:c1 changed document:pears.md',
          'commit:c2 changed document:storage.md',
          'document:pears.md contains heading:pears.md#Pears',
          'document:pears.md links_to document:storage.md',
          'document:pears.md mentions term:pear',
          'person:ada@example.org authored commit:c1',
          'person:ada@example.org authored commit:c2',
        ],
      });
    });

    it('moves links to a name to the first document that has it', async () => {
      const key = fresh();
      await graph.apply(key, [await change('home.md', 'See [[House]] and [[Müller]].')]);
      await graph.apply(key, [await change('b.md', '[[house]]')]);
      const linked = async (path: string) => (await graph.related(key, path, 10)).map((one) => one.path);
      expect(await linked('home.md')).toEqual([]);
      await graph.apply(key, [await change('Notes/House.md', '# House')]);
      await graph.apply(key, [await change('Notes/House.md', '# House, again')]);
      await graph.apply(key, [await change('People/Müller.md', '# Müller')]);
      expect((await linked('home.md')).sort()).toEqual(['Notes/House.md', 'People/Müller.md']);
      expect(await linked('b.md')).toEqual(['Notes/House.md']);
      expect((await all(key)).nodes.filter((node) => node.includes('name:'))).toEqual([]);
    });

    it('does nothing for a repeated change', async () => {
      const key = fresh();
      const once = await change('a.md', '# A\n\nfig fig [b](b.md)');
      await graph.apply(key, [once]);
      await graph.apply(key, [await change('b.md', 'fig fig')]);
      const before = await all(key);
      await graph.apply(key, [once]);
      expect(await all(key)).toEqual(before);
    });

    it('applies a new text, and keeps the earlier authors', async () => {
      const key = fresh();
      await graph.apply(key, [await change('a.md', '# Old\n\nfig fig plum plum', { commit: 'o' })]);
      await graph.apply(key, [await change('b.md', 'plum plum')]);
      await graph.apply(key, [await change('a.md', '# New\n\nquince quince', { commit: 'n' })]);
      const { nodes, edges } = await all(key);
      expect(nodes.filter((node) => /^(heading|term)/.test(node))).toEqual([
        'heading heading:a.md#New New',
        'term term:plum plum',
        'term term:quinc quinc',
      ]);
      expect(edges).toEqual(
        expect.arrayContaining(['commit:o changed document:a.md', 'commit:n changed document:a.md']),
      );
    });

    it('removes the facts of a deleted document, and keeps its changes', async () => {
      const key = fresh();
      await graph.apply(key, [await change('a.md', '# A\n\nfig fig', { commit: 'made' })]);
      await graph.apply(key, [await change('b.md', 'fig fig [a](a.md)')]);
      await graph.apply(key, [await change('a.md', null, { commit: 'gone' })]);
      const { nodes } = await all(key);
      expect(nodes).toEqual(expect.arrayContaining(['commit commit:gone Save a.md', 'term term:fig fig']));
      expect(nodes.join()).not.toContain('document:a.md');
      expect(nodes.join()).not.toContain('heading');
      expect(await graph.related(key, 'b.md', 10)).toEqual([]);
    });

    it('records the author of a change whose document has a newer queued text', async () => {
      const key = fresh();
      await graph.apply(key, [await change('a.md', undefined, { commit: 'early' })]);
      expect((await all(key)).nodes).toEqual(['commit commit:early Save a.md', 'person person:ada@example.org Ada']);
      await graph.apply(key, [await change('a.md', 'fig', { commit: 'late' })]);
      expect((await all(key)).edges).toContain('commit:early changed document:a.md');
    });

    it('finds related documents: links before terms, rare terms before common ones', async () => {
      const key = fresh();
      await graph.apply(key, [await change('a.md', 'fig fig plum plum kiwi kiwi [c](c.md)')]);
      await graph.apply(key, [await change('b.md', 'fig fig plum plum')]);
      await graph.apply(key, [await change('c.md', 'nothing')]);
      await graph.apply(key, [await change('d.md', 'plum plum')]);
      await graph.apply(key, [await change('e.md', 'grape grape [a](a.md)')]);
      await graph.apply(key, [await change('f.md', 'alone')]);
      expect(await graph.related(key, 'a.md', 10)).toEqual([
        { path: 'c.md', score: 3, reasons: ['linked from here'] },
        { path: 'e.md', score: 3, reasons: ['links here'] },
        { path: 'b.md', score: 1.5, reasons: ['both mention "fig"', 'both mention "plum"'] },
        { path: 'd.md', score: 0.5, reasons: ['both mention "plum"'] },
      ]);
      expect((await graph.related(key, 'a.md', 1)).map(({ path }) => path)).toEqual(['c.md']);
      expect(await graph.related(key, 'never.md', 10)).toEqual([]);
    });

    it('finds which of some documents are related to others', async () => {
      const key = fresh();
      await graph.apply(key, [await change('a.md', 'fig fig plum plum [c](c.md)')]);
      await graph.apply(key, [await change('b.md', 'kiwi kiwi')]);
      await graph.apply(key, [await change('c.md', 'nothing')]);
      await graph.apply(key, [await change('d.md', 'plum plum [b](b.md)')]);
      await graph.apply(key, [await change('e.md', 'fig fig plum plum')]);
      await graph.apply(key, [await change('f.md', 'alone')]);
      const near = (await graph.near(key, ['a.md', 'b.md'], ['c.md', 'd.md', 'e.md', 'f.md', 'never.md'])).map(
        ({ path, score }) => ({ path, score }),
      );
      expect(near).toEqual([
        { path: 'd.md', score: 3.5 },
        { path: 'c.md', score: 3 },
        { path: 'e.md', score: 1.5 },
      ]);
      expect(await graph.near(fresh(), ['a.md'], ['c.md'])).toEqual([]);
    });

    it('does not relate documents by a term that all of them mention', async () => {
      const key = fresh();
      for (let i = 0; i <= 200; i++) await graph.apply(key, [await change(`${i}.md`, 'common common')]);
      await graph.apply(key, [await change('a.md', 'rare rare common common')]);
      await graph.apply(key, [await change('b.md', 'rare rare')]);
      expect((await graph.related(key, 'a.md', 10)).map(({ path }) => path)).toEqual(['b.md']);
      expect((await graph.near(key, ['a.md'], ['0.md', 'b.md'])).map(({ path }) => path)).toEqual(['b.md']);
    }, 60_000);

    it('returns documents first where the limit is too low for all nodes', async () => {
      const key = fresh();
      await graph.apply(key, [await change('a.md', '# H\n\nfig fig')]);
      await graph.apply(key, [await change('b.md', 'b')]);
      const { nodes, edges } = await graph.graph(key, 2);
      expect(nodes.map(({ id }) => id)).toEqual(['document:a.md', 'document:b.md']);
      expect(edges).toEqual([]);
    });

    it('keeps unusual names unchanged', async () => {
      const key = fresh();
      const path = `o'"\\{}$x/größe メモ.md`;
      await graph.apply(key, [await change(path, `# It's "so"\n\nfig fig`)]);
      await graph.apply(key, [await change('b.md', 'fig fig')]);
      expect(await graph.related(key, 'b.md', 10)).toMatchObject([{ path }]);
      expect((await all(key)).nodes.join('\n')).toContain(`It's "so"`);
    });

    it('shows nothing of another project, and deletes one project only', async () => {
      const [mine, other] = [fresh(), { userId: `bob-${run}`, projectId: `p${count}` }];
      made.push(other);
      for (const key of [mine, other]) {
        await graph.apply(key, [await change('a.md', 'fig fig [b](b.md)')]);
        await graph.apply(key, [await change('b.md', 'b')]);
      }
      expect(await graph.related(mine, 'a.md', 10)).toHaveLength(1);
      await graph.drop(other);
      expect(await graph.graph(other, 10)).toEqual({ nodes: [], edges: [] });
      expect(await graph.related(mine, 'a.md', 10)).toHaveLength(1);
    });
  });
}

describe('Neo4j that is not there', () => {
  it('is reported as unavailable, quickly and by name', async () => {
    const graph = new Neo4jGraphStore({ url: 'bolt://127.0.0.1:1', user: 'neo4j', password: 'x', connectMs: 2000 });
    const beganMs = performance.now();
    await expect(graph.related({ userId: 'a', projectId: 'p' }, 'a.md', 1)).rejects.toThrow(/^the graph is away: /);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    await graph.close();
  }, 15_000);
});

describe('the tables of the graph in SQLite', () => {
  it('have an index for the edges to a node, which SQLite prefers to reading all edges of the project', () => {
    const db = openDatabase(':memory:', [GRAPH_TABLES, EDGES_BACK]);
    const where = 'user_id = ? AND project_id = ? AND target = ?';
    for (const sql of [
      `UPDATE OR REPLACE graph_edges SET target = '' WHERE ${where}`,
      `SELECT source FROM graph_edges WHERE ${where} AND kind = 'mentions'`,
    ]) {
      const [step] = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('u', 'p', 't');
      expect(step?.['detail']).toContain('graph_edges_back (user_id=? AND project_id=? AND target=?');
    }
  });
});
