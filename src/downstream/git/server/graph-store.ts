import type { GraphEdge, GraphNode } from '../git.contract.js';
import type { Change } from './repository.js';
import type { ProjectKey } from './version-store.js';

export const GRAPH_STORE = Symbol('GraphStore');

export interface Related {
  path: string;
  /** Higher is nearer. */
  score: number;
  /** What joins the two, for people: a link, a shared term, a common author. */
  reasons: string[];
}

/** Documents, headings, terms, people and commits of a project, and what joins them. Every call is keyed by user and project. */
export interface GraphStore {
  /** Brings the graph in step with one change; the same change again changes nothing. */
  apply(project: ProjectKey, change: Change & { commit: string }): Promise<void>;
  graph(project: ProjectKey, limit: number): Promise<{ nodes: GraphNode[]; edges: GraphEdge[] }>;
  related(project: ProjectKey, path: string, limit: number): Promise<Related[]>;
  drop(project: ProjectKey): Promise<void>;
  close(): Promise<void>;
}
