import type { GraphEdge, GraphNode } from '../../git.contract.js';
import type { DocumentFacts } from './document-facts.js';
import { keyOf } from '../../../../text/named-documents.js';
import type { ProjectKey } from '../project-key.js';

export const GRAPH_STORE = Symbol('GraphStore');

export interface Related {
  path: string;
  /** A higher score means a closer relation. */
  score: number;
  /** The relations between the two, as text for people: a link or a shared term. */
  reasons: string[];
}

/** One change of one document, as the graph stores it. */
export interface GraphChange {
  path: string;
  /** The facts of its new text; null: it was deleted; undefined: a later change that is already queued holds them. */
  facts: DocumentFacts | null | undefined;
  author: { name: string; email: string };
  message: string;
  commit: string;
}

/** The graph is unavailable; the caller may try again later. */
export class GraphAway extends Error {
  constructor(cause: unknown) {
    super(`the graph is away: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'GraphAway';
  }
}

/** The id of the node for a name that no document has yet. Its edges move to the first document with that name. */
export const namelessId = (name: string) => `name:${keyOf(name)}`;

/**
 * The documents, headings, terms, authors and commits of a project, and the edges between them. Every call is keyed by
 * user and project; any call may reject with {@link GraphAway}.
 */
export interface GraphStore {
  /**
   * Applies changes to the graph in their order; it is idempotent, and where it fails, some of them may be applied.
   * `facts.names` are names that no document has.
   */
  apply(project: ProjectKey, changes: readonly GraphChange[]): Promise<void>;
  /** Documents first, then headings, authors, terms and commits, `limit` nodes in all, and the edges between them. */
  graph(project: ProjectKey, limit: number): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }>;
  /** Best first. A link counts 3; a shared term counts one divided among the documents that share it. */
  related(project: ProjectKey, path: string, limit: number): Promise<Related[]>;
  /**
   * Those of the documents `among` that a link or a shared term connects to one of `to`, scored as by {@link related}.
   * Its cost depends on these documents only, not on how many others share their terms.
   */
  near(project: ProjectKey, to: readonly string[], among: readonly string[]): Promise<Related[]>;
  drop(project: ProjectKey): Promise<void>;
  close(): Promise<void>;
}

/** The weight of a link, relative to a term that only these two documents share. */
const LINK_WEIGHT = 3;
/** A term that more documents than this mention does not relate them. */
export const MAX_SHARED = 50;
const MAX_REASONS = 5;

/** A relation of two documents: a link between them, or a term that `sharedBy` documents have. */
export type Tie = { path: string } & ({ link: 'from_here' | 'to_here' } | { term: string; sharedBy: number });

/** Adds up the relations of one document. A term that many documents share weighs little. */
export function rankTies(ties: readonly Tie[], limit: number): Related[] {
  const found = new Map<string, Related>();
  for (const tie of ties) {
    const related = found.get(tie.path) ?? { path: tie.path, score: 0, reasons: [] };
    found.set(tie.path, related);
    related.score += 'link' in tie ? LINK_WEIGHT : 1 / Math.max(1, tie.sharedBy - 1);
    if (related.reasons.length < MAX_REASONS) related.reasons.push(reasonOf(tie));
  }
  return [...found.values()].sort((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1)).slice(0, limit);
}

function reasonOf(tie: Tie): string {
  if ('term' in tie) return `both mention "${tie.term}"`;
  return tie.link === 'from_here' ? 'linked from here' : 'links here';
}
