import { z } from 'zod';
import type { ServiceContract } from '../../contract/endpoint.js';
import { inventoryQuery, inventorySchema } from '../../contract/inventory.contract.js';
import { pageStartSchema } from '../../contract/page.contract.js';
import { correctionSchema, passageSchema } from '../../contract/passage.contract.js';
import { scopeSchema } from '../../contract/scope.contract.js';

const id = z.string().min(1).max(200);
const inProject = z.strictObject({ project_id: id });

const notEmbedded = z.enum(['unreachable', 'timeout', 'circuit_open', 'saturated', 'fault', 'protocol', 'deadline']);
/** The most texts of one call: few enough for an embedder on a slow machine to finish within one attempt. */
export const MAX_EMBEDDED_TEXTS = 16;

/** Of one call. */
const MAX_BATCH_DOCUMENTS = 200;
const documentSchema = z.strictObject({
  path: z.string().min(1),
  version: id,
  title: z.string(),
  media_type: z.string(),
  text: z.string(),
  /** For a format with pages: where they begin. Passages do not cross them. */
  pages: z.array(pageStartSchema).optional(),
  /** The tags that a person gave to it, beside those in its text; by default none. */
  tags: z.array(z.string()).default([]),
  /**
   * The document was moved from this path, where it had this version: passages with the same content keep their
   * vectors. Ignored where the index has another version of it.
   */
  moved_from: z.strictObject({ path: z.string().min(1), version: id }).optional(),
});
const indexedSchema = z.object({ passages: z.int().min(0), version: id });

/** Every call is keyed by the user of the call and the project. */
export const chromaContract = {
  /** Fuses vector and lexical search; `passages` is the number of indexed passages of the project. */
  query: {
    method: 'POST',
    path: '/query',
    body: z.strictObject({
      project_id: id,
      query: z.string(),
      limit: z.int().min(1).max(1000),
      offset: z.int().min(0).default(0),
      mode: z.enum(['hybrid', 'vector']).default('hybrid'),
      scope: scopeSchema.optional(),
      explain: z.boolean().default(false),
    }),
    response: z.object({
      results: z.array(passageSchema),
      total: z.int().min(0),
      source: z.enum(['hybrid', 'vector', 'fulltext']),
      /** Why the embedder returned no vector for the question, where the answer is based on words only. */
      not_embedded: notEmbedded.optional(),
      passages: z.int().min(0),
      corrections: z.array(correctionSchema).optional(),
    }),
    idempotent: true,
    safe: true,
  },
  /**
   * The vectors, in order, of texts that belong to no project; used for OpenAI's `/v1/embeddings`. `pretrained` is
   * false where no embedder is configured: those vectors compare words, not meaning.
   */
  embed: {
    method: 'POST',
    path: '/embeddings',
    body: z.strictObject({ texts: z.array(z.string()).min(1).max(MAX_EMBEDDED_TEXTS) }),
    response: z.object({
      embedder: z.string(),
      pretrained: z.boolean(),
      vectors: z.array(z.array(z.number())),
      /** Why the embedder returned no vectors; `vectors` is empty then. */
      not_embedded: notEmbedded.optional(),
    }),
    idempotent: true,
  },
  /** Updates the index of one document to this text. A version that is already indexed costs nothing. */
  upsert: {
    method: 'POST',
    path: '/documents',
    body: documentSchema.extend({ project_id: id }),
    response: indexedSchema,
    idempotent: true,
  },
  /** {@link upsert} for several documents of a project, which share their writes. */
  upsertAll: {
    method: 'POST',
    path: '/documents/batch',
    body: z.strictObject({ project_id: id, documents: z.array(documentSchema).min(1).max(MAX_BATCH_DOCUMENTS) }),
    response: z.object({ documents: z.array(indexedSchema) }),
    idempotent: true,
  },
  remove: {
    method: 'POST',
    path: '/documents/remove',
    body: z.strictObject({ project_id: id, path: z.string().min(1) }),
    response: z.object({ removed: z.boolean() }),
    idempotent: true,
  },
  /** {@link remove} for several documents; `removed` is how many of them were in the index. */
  removeAll: {
    method: 'POST',
    path: '/documents/remove/batch',
    body: z.strictObject({ project_id: id, paths: z.array(z.string().min(1)).min(1).max(MAX_BATCH_DOCUMENTS) }),
    response: z.object({ removed: z.int().min(0) }),
    idempotent: true,
  },
  dropProject: {
    method: 'DELETE',
    path: '/projects/:project_id',
    params: inProject,
    response: z.object({ removed: z.boolean() }),
    idempotent: true,
  },
  /** The documents of all projects of all users, in pages, for a comparison with another server. */
  inventory: {
    method: 'GET',
    path: '/inventory',
    query: inventoryQuery,
    response: inventorySchema,
    idempotent: true,
  },
  /** The documents of a project with their indexed versions, by path. */
  versions: {
    method: 'GET',
    path: '/projects/:project_id/versions',
    params: inProject,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(1000).default(1000),
      offset: z.coerce.number().int().min(0).default(0),
    }),
    response: z.object({ documents: z.array(z.object({ path: z.string(), version: z.string() })), total: z.int() }),
    idempotent: true,
  },
  /** The state of a project's index. */
  describe: {
    method: 'GET',
    path: '/projects/:project_id',
    params: inProject,
    response: z.object({
      documents: z.int().min(0),
      passages: z.int().min(0),
      embedder: z.string(),
      /** Passages with vectors of an older embedder, which must be embedded again. */
      stale_passages: z.int().min(0),
    }),
    idempotent: true,
  },
} as const satisfies ServiceContract;
