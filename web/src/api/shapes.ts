import type { paths } from '../../generated/api.js';

type JsonOf<Response> = Response extends { content: { 'application/json': infer Json } } ? Json : never;
type Responses<Operation> = Operation extends { responses: infer R } ? R : never;

/** The JSON of a successful answer. */
type Answer<P extends keyof paths, M extends keyof paths[P]> = {
  [Status in keyof Responses<paths[P][M]>]: Status extends 200 | 201 | 202
    ? JsonOf<Responses<paths[P][M]>[Status]>
    : never;
}[keyof Responses<paths[P][M]>];

export type User = Answer<'/v1/api/auth/check', 'get'>['user'];
export type SignInProvider = Answer<'/v1/api/auth/provider', 'get'>;
export type Project = Answer<'/v1/api/projects', 'get'>['projects'][number];

export type ChatAnswer = Answer<'/v1/api/chat', 'post'>;
/** What is known of an answer when it is complete, other than its text. */
export type ChatSummary = Omit<ChatAnswer, 'response'>;
export type ChatSource = ChatAnswer['sources'][number];
export type Degradation = ChatAnswer['degradation'];

type Body<P extends keyof paths> = paths[P] extends { post: { requestBody: { content: infer C } } }
  ? JsonOf<{ content: C }>
  : never;
/** Which documents are searched. */
export type Scope = NonNullable<Body<'/v1/api/search'>['scope']>;
export type ModelInfo = Answer<'/v1/api/models', 'get'>['models'][number];

export type ConversationInfo = Answer<'/v1/api/conversations', 'get'>['conversations'][number];
export type Conversation = Answer<'/v1/api/conversations/{conversation_id}', 'get'>;
export type Turn = Conversation['turns'][number];
export type Feedback = NonNullable<Turn['feedback']>;

export type DocumentInfo = Answer<'/v1/api/projects/{project_id}/documents', 'get'>['documents'][number];
export type TrashedDocument = Answer<'/v1/api/projects/{project_id}/trash', 'get'>['documents'][number];
export type Warning = NonNullable<DocumentInfo['warnings']>[number];
export type StoredDocument = Answer<'/v1/api/projects/{project_id}/documents/{path}', 'put'>;
export type Version = Answer<'/v1/api/projects/{project_id}/history', 'get'>['versions'][number];
export type BlamedLine = Answer<'/v1/api/projects/{project_id}/blame', 'get'>['lines'][number];
export type Graph = Answer<'/v1/api/projects/{project_id}/graph', 'get'>;

export type SearchAnswer = Answer<'/v1/api/search', 'post'>;
export type SearchResult = SearchAnswer['results'][number];

export type ApiKey = Answer<'/v1/api/keys', 'get'>['keys'][number];

export type LedgerRow = Answer<'/v1/api/billing/usage', 'get'>['rows'][number];
export type ServiceStatus = Answer<'/v1/api/status/services', 'get'>['services'][string];
export type OutboxReport = Answer<'/v1/api/status/outbox', 'get'>;
export type ServiceTimeline = Answer<'/v1/api/status/timeline', 'get'>['services'][string];
