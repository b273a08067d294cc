import neo4j, { type Driver, Neo4jError } from 'neo4j-driver';
import { guarded, outboundBreaker } from '../../../../resilience/policy/guarded.js';
import type { GraphEdge, GraphNode } from '../../git.contract.js';
import {
  GraphAway,
  type GraphChange,
  type GraphStore,
  MAX_SHARED,
  namelessId,
  rankTies,
  type Related,
  type Tie,
} from './graph-store.js';
import type { ProjectKey } from '../project-key.js';

const RETRY_MS = 500;
const ANSWER_MS = 8000;
/** After this many failures in a row, Neo4j is called only once every `recoveryMs`. */
const BREAKER = { failures: 5, recoveryMs: 1000 };

const ORDER = ['document', 'heading', 'person', 'term', 'commit'];

export interface Neo4jConnection {
  url: string;
  user: string;
  password: string | undefined;
  /** The time limit for a connection. */
  connectMs: number;
}

/** The graph in Neo4j: nodes `:Caudex` and edges `:TIE`, both with their kind as a property. */
export class Neo4jGraphStore implements GraphStore {
  private readonly driver: Driver;
  private readonly breaker = outboundBreaker({ ...BREAKER, isFailure: (error) => !isWrongStatement(error) });
  private prepared: Promise<unknown> | undefined;

  constructor({ url, user, password, connectMs }: Neo4jConnection) {
    const credentials = password === undefined ? undefined : neo4j.auth.basic(user, password);
    this.driver = neo4j.driver(url, credentials, {
      connectionTimeout: connectMs,
      connectionAcquisitionTimeout: connectMs,
      maxTransactionRetryTime: RETRY_MS,
      disableLosslessIntegers: true,
    });
  }

  async apply(project: ProjectKey, changes: readonly GraphChange[]): Promise<void> {
    for (const change of changes) await this.applyOne(project, change);
  }

  private async applyOne(project: ProjectKey, { path, facts, author, message, commit }: GraphChange): Promise<void> {
    const document = `document:${path}`;
    const person = `person:${author.email || author.name}`;
    const values = {
      ...project,
      document,
      path,
      commit: `commit:${commit}`,
      message,
      person,
      name: author.name,
      headings: (facts?.headings ?? []).map((label) => ({ id: `heading:${path}#${label}`, label })),
      links: [
        ...(facts?.links ?? []).map((link) => ({ id: `document:${link}`, label: link })),
        ...(facts?.names ?? []).map((name) => ({ id: namelessId(name), label: name })),
      ],
      named: namelessId(path),
      terms: (facts?.terms ?? []).map((label) => ({ id: `term:${label}`, label })),
    };
    const statements = [
      RECORD,
      ...(facts === undefined ? [] : [CLEAR, ...(facts === null ? [] : [DESCRIBE, CLAIM_NAME])]),
    ];
    await this.write(statements, values);
  }

  async graph(project: ProjectKey, limit: number): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }> {
    const nodes = await this.read(
      `MATCH (n:Caudex {user: $userId, project: $projectId}) WHERE n.there
       RETURN n.id AS id, n.kind AS kind, n.label AS label, [i IN range(0, 4) WHERE $order[i] = n.kind][0] AS place
       ORDER BY place, id LIMIT toInteger($limit)`,
      { ...project, order: ORDER, limit },
    );
    const edges = await this.read(
      `MATCH (a:Caudex {user: $userId, project: $projectId})-[e:TIE]->(b:Caudex)
       WHERE a.id IN $ids AND b.id IN $ids RETURN a.id AS from, b.id AS to, e.kind AS kind`,
      { ...project, ids: nodes.map(({ id }) => String(id)) },
    );
    return {
      nodes: nodes.map(({ id, kind, label }) => ({ id, kind, label })) as GraphNode[],
      edges: edges as unknown as GraphEdge[],
    };
  }

  async related(project: ProjectKey, path: string, limit: number): Promise<Related[]> {
    const values = { ...project, document: `document:${path}` };
    const [links, shared] = await Promise.all([this.read(LINKS, values), this.read(SHARED, values)]);
    return rankTies([...links, ...shared] as unknown as Tie[], limit);
  }

  async near(project: ProjectKey, to: readonly string[], among: readonly string[]): Promise<Related[]> {
    const ids = (paths: readonly string[]) => paths.map((path) => `document:${path}`);
    const values = { ...project, to: ids(to), among: ids(among) };
    const [links, shared] = await Promise.all([this.read(NEAR_LINKS, values), this.read(NEAR_SHARED, values)]);
    return rankTies([...links, ...shared] as unknown as Tie[], among.length);
  }

  async drop(project: ProjectKey): Promise<void> {
    await this.write(['MATCH (n:Caudex {user: $userId, project: $projectId}) DETACH DELETE n'], { ...project });
  }

  async close(): Promise<void> {
    await this.driver.close();
  }

  private async write(statements: readonly string[], values: Record<string, unknown>): Promise<void> {
    await this.within(async () => {
      const session = this.driver.session();
      try {
        await session.executeWrite(async (transaction) => {
          for (const statement of statements) await transaction.run(statement, values);
        });
      } finally {
        await session.close();
      }
    });
  }

  private read(statement: string, values: Record<string, unknown>): Promise<Record<string, unknown>[]> {
    return this.within(async () => {
      const { records } = await this.driver.executeQuery(statement, values, { routing: 'READ' });
      return records.map((record) => record.toObject());
    });
  }

  /** @throws GraphAway unless Neo4j answered that the statement itself is wrong */
  private async within<T>(work: () => Promise<T>): Promise<T> {
    const prepared = async () => {
      this.prepared ??= this.driver.executeQuery(CONSTRAINT);
      await this.prepared;
      return work();
    };
    try {
      // The driver has no time limit for an answer.
      return await guarded(prepared, { name: 'Neo4j', timeoutMs: ANSWER_MS, breaker: this.breaker });
    } catch (error) {
      if (isWrongStatement(error)) throw error;
      this.prepared = undefined;
      throw new GraphAway(error);
    }
  }
}

/** Neo4j works and rejects the statement. */
function isWrongStatement(error: unknown): boolean {
  return error instanceof Neo4jError && error.code.startsWith('Neo.ClientError.Statement');
}

const CONSTRAINT = `CREATE CONSTRAINT caudex_node IF NOT EXISTS
  FOR (n:Caudex) REQUIRE (n.user, n.project, n.id) IS UNIQUE`;

/** `there` is false for a node that is only referred to: a link may point to a document that does not exist yet. */
const RECORD = `
  MERGE (c:Caudex {user: $userId, project: $projectId, id: $commit}) SET c.kind = 'commit', c.label = $message, c.there = true
  MERGE (p:Caudex {user: $userId, project: $projectId, id: $person}) SET p.kind = 'person', p.label = $name, p.there = true
  MERGE (d:Caudex {user: $userId, project: $projectId, id: $document})
    ON CREATE SET d.kind = 'document', d.label = $path, d.there = false
  MERGE (p)-[:TIE {kind: 'authored'}]->(c)
  MERGE (c)-[:TIE {kind: 'changed'}]->(d)`;

const CLEAR = `
  MATCH (d:Caudex {user: $userId, project: $projectId, id: $document}) SET d.there = false
  WITH d OPTIONAL MATCH (d)-[e:TIE]->(t:Caudex)
  WITH d, e, t, t IS NOT NULL AND (t.kind = 'heading' OR (t.kind = 'term'
    AND NOT EXISTS { MATCH (t)<-[:TIE {kind: 'mentions'}]-(o:Caudex) WHERE o.id <> d.id })) AS lost
  DELETE e
  WITH t WHERE lost DETACH DELETE t`;

const DESCRIBE = `
  MATCH (d:Caudex {user: $userId, project: $projectId, id: $document}) SET d.there = true
  FOREACH (h IN $headings |
    MERGE (n:Caudex {user: $userId, project: $projectId, id: h.id}) SET n.kind = 'heading', n.label = h.label, n.there = true
    MERGE (d)-[:TIE {kind: 'contains'}]->(n))
  FOREACH (l IN $links |
    MERGE (n:Caudex {user: $userId, project: $projectId, id: l.id})
      ON CREATE SET n.kind = 'document', n.label = l.label, n.there = false
    MERGE (d)-[:TIE {kind: 'links_to'}]->(n))
  FOREACH (t IN $terms |
    MERGE (n:Caudex {user: $userId, project: $projectId, id: t.id}) SET n.kind = 'term', n.label = t.label, n.there = true
    MERGE (d)-[:TIE {kind: 'mentions'}]->(n))`;

/** Moves the links from the node of a name to the first document with that name. */
const CLAIM_NAME = `
  MATCH (n:Caudex {user: $userId, project: $projectId, id: $named})<-[e:TIE {kind: 'links_to'}]-(o:Caudex)
  MATCH (d:Caudex {user: $userId, project: $projectId, id: $document}) WHERE o <> d
  MERGE (o)-[:TIE {kind: 'links_to'}]->(d)
  DELETE e`;

const LINKS = `
  MATCH (d:Caudex {user: $userId, project: $projectId, id: $document})-[e:TIE {kind: 'links_to'}]-(o:Caudex)
  WHERE d.there AND o.there AND o.id <> d.id
  RETURN o.label AS path, CASE WHEN startNode(e) = d THEN 'from_here' ELSE 'to_here' END AS link`;

const SHARED = `
  MATCH (d:Caudex {user: $userId, project: $projectId, id: $document})-[:TIE {kind: 'mentions'}]->(t:Caudex)
  WITH d, t, COUNT { (t)<-[:TIE {kind: 'mentions'}]-() } AS sharedBy WHERE sharedBy <= ${MAX_SHARED}
  MATCH (t)<-[:TIE {kind: 'mentions'}]-(o:Caudex) WHERE o.id <> d.id
  RETURN o.label AS path, t.label AS term, sharedBy ORDER BY term, path`;

const NEAR_LINKS = `
  UNWIND $to AS id
  MATCH (d:Caudex {user: $userId, project: $projectId, id: id})-[e:TIE {kind: 'links_to'}]-(o:Caudex)
  WHERE d.there AND o.there AND o.id IN $among
  RETURN o.label AS path, CASE WHEN startNode(e) = d THEN 'from_here' ELSE 'to_here' END AS link`;

const NEAR_SHARED = `
  UNWIND $to AS id
  MATCH (:Caudex {user: $userId, project: $projectId, id: id})-[:TIE {kind: 'mentions'}]->(t:Caudex)
  WITH DISTINCT t UNWIND $among AS id
  MATCH (o:Caudex {user: $userId, project: $projectId, id: id})-[:TIE {kind: 'mentions'}]->(t)
  WITH o, t, COUNT { (t)<-[:TIE {kind: 'mentions'}]-() } AS sharedBy WHERE sharedBy <= ${MAX_SHARED}
  RETURN o.label AS path, t.label AS term, sharedBy ORDER BY term, path`;
