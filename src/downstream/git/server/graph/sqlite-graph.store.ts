import type { DatabaseSync } from 'node:sqlite';
import { preparedBy } from '../../../../storage/statements.js';
import { repeatable, transaction } from '../../../../storage/sqlite.js';
import type { GraphEdge, GraphNode } from '../../git.contract.js';
import {
  type GraphChange,
  type GraphStore,
  MAX_SHARED,
  namelessId,
  rankTies,
  type Related,
  type Tie,
} from './graph-store.js';
import type { ProjectKey } from '../project-key.js';

export const GRAPH_TABLES = `
  CREATE TABLE graph_nodes (
    user_id TEXT NOT NULL, project_id TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, label TEXT NOT NULL,
    PRIMARY KEY (user_id, project_id, id)
  ) STRICT;
  CREATE TABLE graph_edges (
    user_id TEXT NOT NULL, project_id TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (user_id, project_id, source, target, kind)
  ) STRICT;
  CREATE INDEX graph_edges_back ON graph_edges (user_id, project_id, target)`;

/**
 * A covering index for the edges to a node. With the first three columns alone SQLite preferred the primary key, which covers
 * all columns, and read every edge of the project.
 */
export const EDGES_BACK = `
  DROP INDEX graph_edges_back;
  CREATE INDEX graph_edges_back ON graph_edges (user_id, project_id, target, kind, source)`;

/** Of one transaction, which blocks the process; a change with more has one of its own. */
const MAX_FACTS = 500;

/** The embedded graph: nodes and edges in SQLite. */
export class SqliteGraphStore implements GraphStore {
  private readonly prepared: ReturnType<typeof preparedBy>;

  constructor(private readonly db: DatabaseSync) {
    this.prepared = preparedBy(db);
  }

  async apply(project: ProjectKey, changes: readonly GraphChange[]): Promise<void> {
    for (const group of groupsOf(changes)) {
      // If a power cut undoes this, the changes are still in the queue for the graph.
      repeatable(this.db, () => {
        for (const change of group) this.applyOne(project, change);
      });
      // Other requests get their turn.
      await new Promise(setImmediate);
    }
  }

  private applyOne(project: ProjectKey, { path, facts, author, message, commit }: GraphChange): void {
    const document = `document:${path}`;
    const person = `person:${author.email || author.name}`;
    this.node(project, { id: `commit:${commit}`, kind: 'commit', label: message });
    this.node(project, { id: person, kind: 'person', label: author.name });
    this.edge(project, { from: person, to: `commit:${commit}`, kind: 'authored' });
    this.edge(project, { from: `commit:${commit}`, to: document, kind: 'changed' });
    if (facts === undefined) return;
    this.clear(project, document);
    if (facts === null) return this.removeNode(project, document);
    this.node(project, { id: document, kind: 'document', label: path });
    for (const heading of facts.headings) {
      const id = `heading:${path}#${heading}`;
      this.node(project, { id, kind: 'heading', label: heading });
      this.edge(project, { from: document, to: id, kind: 'contains' });
    }
    this.claimName(project, path);
    for (const name of facts.names) this.edge(project, { from: document, to: namelessId(name), kind: 'links_to' });
    for (const link of facts.links) this.edge(project, { from: document, to: `document:${link}`, kind: 'links_to' });
    for (const term of facts.terms) {
      this.node(project, { id: `term:${term}`, kind: 'term', label: term });
      this.edge(project, { from: document, to: `term:${term}`, kind: 'mentions' });
    }
  }

  /** Moves the links from the node of a name to the first document with that name. */
  private claimName({ userId, projectId }: ProjectKey, path: string): void {
    const [from, to] = [namelessId(path), `document:${path}`];
    this.prepared(
      `UPDATE OR REPLACE graph_edges SET target = ? WHERE user_id = ? AND project_id = ? AND target = ? AND source <> ?`,
    ).run(to, userId, projectId, from, to);
  }

  /** The edges are those between nodes of the answer. */
  async graph({ userId, projectId }: ProjectKey, limit: number): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }> {
    const nodes = this.prepared(
      `SELECT id, kind, label FROM graph_nodes WHERE user_id = ? AND project_id = ?
         ORDER BY CASE kind WHEN 'document' THEN 0 WHEN 'heading' THEN 1 WHEN 'person' THEN 2 WHEN 'term' THEN 3 ELSE 4 END, id LIMIT ?`,
    ).all(userId, projectId, limit) as unknown as GraphNode[];
    const known = new Set(nodes.map(({ id }) => id));
    const edges = this.prepared('SELECT source, target, kind FROM graph_edges WHERE user_id = ? AND project_id = ?')
      .all(userId, projectId)
      .map((row) => ({
        from: String(row['source']),
        to: String(row['target']),
        kind: String(row['kind']) as GraphEdge['kind'],
      }))
      .filter(({ from, to }) => known.has(from) && known.has(to));
    return { nodes: nodes.map(({ id, kind, label }) => ({ id, kind, label })), edges };
  }

  async related({ userId, projectId }: ProjectKey, path: string, limit: number): Promise<Related[]> {
    const document = `document:${path}`;
    const links = this.prepared(
      `WITH e AS (
         SELECT source, target FROM graph_edges WHERE user_id = ?1 AND project_id = ?2 AND kind = 'links_to' AND source = ?3
         UNION SELECT source, target FROM graph_edges
           WHERE user_id = ?1 AND project_id = ?2 AND kind = 'links_to' AND target = ?3)
       SELECT e.source, e.target FROM e
         JOIN graph_nodes s ON s.user_id = ?1 AND s.project_id = ?2 AND s.id = e.source
         JOIN graph_nodes t ON t.user_id = ?1 AND t.project_id = ?2 AND t.id = e.target`,
    ).all(userId, projectId, document);
    const ownTerms = this.prepared(
      `SELECT target FROM graph_edges WHERE user_id = ? AND project_id = ? AND source = ? AND kind = 'mentions'`,
    ).all(userId, projectId, document);
    const sharing = this.prepared(
      `SELECT source FROM graph_edges WHERE user_id = ? AND project_id = ? AND target = ? AND kind = 'mentions' LIMIT ?`,
    );
    const shared = ownTerms.flatMap(({ target }) => {
      const sources = sharing.all(userId, projectId, String(target), MAX_SHARED + 1);
      if (sources.length > MAX_SHARED) return [];
      const term = String(target).slice('term:'.length);
      const others = sources.filter(({ source }) => source !== document);
      return others.map(({ source }) => ({ path: pathOf(source), term, sharedBy: sources.length }));
    });
    return rankTies(
      [
        ...links.map(({ source, target }) =>
          source === document
            ? { path: pathOf(target), link: 'from_here' as const }
            : { path: pathOf(source), link: 'to_here' as const },
        ),
        ...shared.toSorted((a, b) => (a.term < b.term ? -1 : 1)),
      ],
      limit,
    );
  }

  async near({ userId, projectId }: ProjectKey, to: readonly string[], among: readonly string[]): Promise<Related[]> {
    const ids = (paths: readonly string[]) => JSON.stringify(paths.map((path) => `document:${path}`));
    const values = [userId, projectId, ids(to), ids(among)] as const;
    const links = this.prepared(NEAR_LINKS).all(...values);
    const shared = this.prepared(NEAR_SHARED).all(...values);
    const counts = new Map<unknown, number>();
    for (const { target } of shared) {
      if (!counts.has(target)) counts.set(target, this.countMentions({ userId, projectId }, String(target)));
    }
    return rankTies(
      [
        ...links.map(({ document, link }) => ({ path: pathOf(document), link }) as Tie),
        ...shared
          .map(({ document, target }) => ({
            path: pathOf(document),
            term: String(target).slice('term:'.length),
            sharedBy: counts.get(target) ?? 0,
          }))
          .filter(({ sharedBy }) => sharedBy <= MAX_SHARED),
      ],
      among.length,
    );
  }

  async drop({ userId, projectId }: ProjectKey): Promise<void> {
    transaction(this.db, () => {
      for (const table of ['graph_nodes', 'graph_edges']) {
        this.prepared(`DELETE FROM ${table} WHERE user_id = ? AND project_id = ?`).run(userId, projectId);
      }
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Removes the facts of the document's earlier text; its authors stay. */
  private clear({ userId, projectId }: ProjectKey, document: string): void {
    const former = this.prepared(
      `SELECT target, kind FROM graph_edges WHERE user_id = ? AND project_id = ? AND source = ?`,
    ).all(userId, projectId, document);
    this.prepared('DELETE FROM graph_edges WHERE user_id = ? AND project_id = ? AND source = ?').run(
      userId,
      projectId,
      document,
    );
    for (const { target, kind } of former) {
      if (kind === 'contains' || (kind === 'mentions' && !this.isMentioned({ userId, projectId }, String(target)))) {
        this.removeNode({ userId, projectId }, String(target));
      }
    }
  }

  private isMentioned({ userId, projectId }: ProjectKey, term: string): boolean {
    const sql = `SELECT 1 FROM graph_edges WHERE user_id = ? AND project_id = ? AND target = ? AND kind = 'mentions' LIMIT 1`;
    return this.prepared(sql).get(userId, projectId, term) !== undefined;
  }

  /** Counts up to the first above {@link MAX_SHARED}. */
  private countMentions({ userId, projectId }: ProjectKey, term: string): number {
    return Number(this.prepared(COUNT_MENTIONS).get(userId, projectId, term)?.['documents']);
  }

  private removeNode({ userId, projectId }: ProjectKey, id: string): void {
    this.prepared('DELETE FROM graph_nodes WHERE user_id = ? AND project_id = ? AND id = ?').run(userId, projectId, id);
  }

  private node({ userId, projectId }: ProjectKey, { id, kind, label }: GraphNode): void {
    this.prepared(
      `INSERT INTO graph_nodes VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (user_id, project_id, id) DO UPDATE SET label = excluded.label`,
    ).run(userId, projectId, id, kind, label);
  }

  private edge({ userId, projectId }: ProjectKey, { from, to, kind }: GraphEdge): void {
    this.prepared('INSERT OR IGNORE INTO graph_edges VALUES (?, ?, ?, ?, ?)').run(userId, projectId, from, to, kind);
  }
}

/** Changes in their order that are applied in one transaction. */
function* groupsOf(changes: readonly GraphChange[]): Generator<GraphChange[]> {
  let group: GraphChange[] = [];
  let facts = 0;
  for (const change of changes) {
    const more = countFacts(change);
    if (group.length > 0 && facts + more > MAX_FACTS) {
      yield group;
      group = [];
      facts = 0;
    }
    group.push(change);
    facts += more;
  }
  if (group.length > 0) yield group;
}

function countFacts({ facts }: GraphChange): number {
  if (facts === null || facts === undefined) return 0;
  return facts.headings.length + facts.links.length + facts.names.length + facts.terms.length;
}

const pathOf = (id: unknown) => String(id).slice('document:'.length);

const NEAR_LINKS = `
  SELECT target AS document, 'from_here' AS link FROM graph_edges
  WHERE user_id = ?1 AND project_id = ?2 AND kind = 'links_to'
    AND source IN (SELECT value FROM json_each(?3)) AND target IN (SELECT value FROM json_each(?4))
  UNION ALL
  SELECT source, 'to_here' FROM graph_edges
  WHERE user_id = ?1 AND project_id = ?2 AND kind = 'links_to'
    AND source IN (SELECT value FROM json_each(?4)) AND target IN (SELECT value FROM json_each(?3))`;

/** The ids of terms lie between these two. The bounds keep the query from reading a document's many headings. */
const TERMS = `kind = 'mentions' AND target >= 'term:' AND target < 'term;'`;
const NEAR_SHARED = `
  SELECT source AS document, target FROM graph_edges
  WHERE user_id = ?1 AND project_id = ?2 AND ${TERMS} AND source IN (SELECT value FROM json_each(?4))
    AND +target IN (SELECT target FROM graph_edges
      WHERE user_id = ?1 AND project_id = ?2 AND ${TERMS} AND source IN (SELECT value FROM json_each(?3)))
  ORDER BY target, source`;
/** Only mentions lead to a term. Without a condition on the kind, the index alone can count them. */
const COUNT_MENTIONS = `
  SELECT count(*) AS documents FROM (
    SELECT 1 FROM graph_edges WHERE user_id = ? AND project_id = ? AND target = ? LIMIT ${MAX_SHARED + 1})`;
