import type { ClientName, Config, DownstreamSettings, FileConfig, ModelRequest, ServiceName } from './config.schema.js';
import { isTree, lookUp, type Tree } from './tree.js';

type Setting = [variable: string, path: string[], value: unknown];

/** The parts of a list with commas, trimmed; empty parts keep their place. */
export function listed(text: string | undefined): string[] {
  return text === undefined || text.trim() === '' ? [] : text.split(',').map((part) => part.trim());
}

/** The settings from `LLM_BASE_URL` and `LLM_MODEL`: the first of each is the model, the others are its fallbacks. */
export function llmSettings(
  env: Readonly<Record<string, string | undefined>>,
  tree: Tree,
  problems: string[],
): Setting[] {
  const set: Setting[] = [];
  const configured = lookUp(tree, ['llm', 'fallbacks']);
  const further = Array.isArray(configured) ? configured.filter(isTree) : [];
  const urls = listed(env['LLM_BASE_URL']);
  const models = listed(env['LLM_MODEL']);
  if (urls.length > 0) set.push(['LLM_BASE_URL', ['downstream', 'llm', 'url'], urls[0]]);
  if (models.length > 0) set.push(['LLM_MODEL', ['llm', 'model'], models[0]]);
  const endpoints = urls.length > 0 ? urls.length : further.length + 1;
  if (models.length > 1 && models.length !== endpoints) {
    problems.push(
      `LLM_MODEL: ${models.length} models for ${endpoints} addresses; one for each address of LLM_BASE_URL is needed, or one for all`,
    );
  } else if (urls.length > 0 || models.length > 0) {
    const first = lookUp(tree, ['llm', 'model']);
    const fallbacks = Array.from({ length: endpoints - 1 }, (_, index) => ({
      url: urls.length > 0 ? urls[index + 1] : further[index]?.['url'],
      model: models[index + 1] ?? models[0] ?? (urls.length > 0 ? first : further[index]?.['model']),
    }));
    set.push([urls.length > 0 ? 'LLM_BASE_URL' : 'LLM_MODEL', ['llm', 'fallbacks'], fallbacks]);
  }
  return set;
}

/** One line for each surplus key. */
export function keysWithoutModel(keys: readonly string[], { llm }: Pick<FileConfig, 'llm'>): string[] {
  const models = llm.fallbacks.length + 1;
  if (keys.length <= 1 || keys.length === models) return [];
  return [`LLM_API_KEY: ${keys.length} keys for ${models} models; one for each is needed, or one for all`];
}

/** The clients of all models, in the order in which they are asked. */
export function modelNames({ llm }: Pick<Config, 'llm'>): ClientName[] {
  return ['llm', ...llm.fallbacks.map((_, index): ClientName => `llm_${index + 2}`)];
}

export function isModel(name: ClientName): name is 'llm' | `llm_${number}` {
  return name.startsWith('llm');
}

/** A further model has the settings of the first, and its own address. */
export function settingsOf(
  { downstream, llm }: Pick<Config, 'downstream' | 'llm'>,
  name: ClientName,
): DownstreamSettings {
  const further = llm.fallbacks[placeOf(name) - 1];
  return further === undefined ? downstream[name as ServiceName] : { ...downstream.llm, url: further.url };
}

/** How a model's endpoint is asked: a further one as the first, where it has no settings of its own. */
export function requestOf({ llm }: Pick<Config, 'llm'>, name: ClientName): ModelRequest {
  const request = { ...llm.request, ...llm.fallbacks[placeOf(name) - 1]?.request };
  // In lower case, so that a configured `Authorization` takes the place of the one with the key.
  const headers = Object.entries(request.headers).map(([header, value]) => [header.toLowerCase(), value]);
  return { ...request, headers: Object.fromEntries(headers) as Record<string, string> };
}

/** The API key of a model's endpoint; undefined where it needs none. */
export function keyOf(
  { secrets: { llm_api_keys: keys } }: Pick<Config, 'secrets'>,
  name: ClientName,
): string | undefined {
  const key = keys.length === 1 ? keys[0] : keys[placeOf(name)];
  return key === '' ? undefined : key;
}

/** 0 for the first model, and for services that are not models. */
function placeOf(name: ClientName): number {
  return name.startsWith('llm_') ? Number(name.slice('llm_'.length)) - 1 : 0;
}
