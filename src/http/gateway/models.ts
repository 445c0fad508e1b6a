import { badField, GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import type { ListedModel, ModelLists } from '../../exchange/model-list.ts';
import { decide } from '../../policy/decide.ts';
import { nearestNames } from '../../policy/nearest.ts';
import { respondJson, type Visit } from './handle.ts';

/** One vendor's shape of a model and of a list of them. */
interface Shape {
  one(model: ListedModel): JsonObject;
  page(models: readonly ListedModel[], query: URLSearchParams): JsonObject;
}

/** A number from a query, within bounds. Throws a 400 that names it. */
function count(query: URLSearchParams, name: string, usual: number, most: number): number {
  const text = query.get(name);
  if (text === null) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw badField(name, `Invalid request: '${name}' must be a whole number from 1 to ${most}`);
  return Math.min(value, most);
}

const openai: Shape = {
  one: ({ id, createdAt, ownedBy }) => ({ id, object: 'model', created: createdAt, owned_by: ownedBy }),
  page: (models) => ({ object: 'list', data: models.map((model) => openai.one(model)) }),
};

/** https://docs.anthropic.com/en/api/models-list: paging by ids, newest first (ours: in the order of the configuration). */
const anthropic: Shape = {
  one: ({ id, createdAt, displayName, inputTokenLimit, outputTokenLimit }) => ({
    type: 'model',
    id,
    display_name: displayName ?? id,
    created_at: new Date(createdAt * 1000).toISOString().replace('.000Z', 'Z'),
    max_input_tokens: inputTokenLimit ?? null,
    max_tokens: outputTokenLimit ?? null,
    capabilities: null,
  }),
  page(models, query) {
    const limit = count(query, 'limit', 20, 1000);
    const after = query.get('after_id');
    const before = query.get('before_id');
    const ids = models.map((model) => model.id);
    let from = after === null ? 0 : ids.indexOf(after) + 1;
    let to = from + limit;
    if (before !== null) {
      to = Math.max(0, ids.indexOf(before));
      from = Math.max(0, to - limit);
    }
    const page = models.slice(from, to);
    return {
      data: page.map((model) => anthropic.one(model)),
      has_more: before === null ? to < models.length : from > 0,
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
    };
  },
};

const METHODS = ['generateContent', 'streamGenerateContent', 'countTokens'];

/** https://ai.google.dev/api/models#v1beta.models.list: paging by an opaque token. */
const google: Shape = {
  one: ({ id, displayName, inputTokenLimit, outputTokenLimit }) => ({
    name: `models/${id}`,
    version: '001',
    displayName: displayName ?? id,
    ...(inputTokenLimit === undefined ? {} : { inputTokenLimit }),
    ...(outputTokenLimit === undefined ? {} : { outputTokenLimit }),
    supportedGenerationMethods: METHODS,
  }),
  page(models, query) {
    const size = count(query, 'pageSize', 50, 1000);
    const token = query.get('pageToken');
    const from = token === null || token === '' ? 0 : Number(Buffer.from(token, 'base64url').toString());
    if (!Number.isInteger(from) || from < 0) throw badField('pageToken', "Invalid request: 'pageToken' is not one that this server gave");
    const next = from + size;
    return {
      models: models.slice(from, next).map((model) => google.one(model)),
      ...(next < models.length ? { nextPageToken: Buffer.from(String(next)).toString('base64url') } : {}),
    };
  },
};

function shapeFor(visit: Visit): Shape {
  if (visit.client.id === 'anthropic-messages') return anthropic;
  return visit.client.id === 'gemini' ? google : openai;
}

/** A model that no list names but that a call would reach all the same. */
function callable(visit: Visit, id: string): ListedModel | undefined {
  const { snapshot, key, path } = visit;
  const pinned = path.platform === undefined ? {} : { platform: path.platform };
  const decision = decide(snapshot, { model: id, protocol: visit.client.id, operation: 'generate', key, ...pinned });
  const chosen = decision.candidates.find((one) => one.verdict === 'chosen');
  return chosen ? { id, ownedBy: chosen.provider, createdAt: 0 } : undefined;
}

/** GET models and models/{id}, in the shape of the caller's vendor. */
export function createModelsService(lists: ModelLists): (visit: Visit, id: string | undefined) => Promise<void> {
  return async (visit, id) => {
    const { platform } = visit.path;
    if (platform !== undefined && !visit.snapshot.providers.has(platform)) {
      throw new GatewayError(
        gatewayFault('not_found', `Unknown platform '${platform}'. Known: ${[...visit.snapshot.providers.keys()].join(', ')}`, {
          code: 'unknown_platform',
        }),
      );
    }
    const models = await lists.list(visit.snapshot, visit.key, platform);
    const shape = shapeFor(visit);
    if (id === undefined) {
      respondJson(visit, 200, shape.page(models, visit.path.query));
      return;
    }
    const found = models.find((model) => model.id === id) ?? callable(visit, id);
    if (!found) {
      const near = nearestNames(
        id,
        models.map((model) => model.id),
      );
      const hint = near.length > 0 ? `. Did you mean ${near.map((name) => `'${name}'`).join(', ')}?` : '';
      throw new GatewayError(
        gatewayFault('not_found', `Unknown model '${id.slice(0, 200)}'${hint}`, { param: 'model', code: 'model_not_found' }),
      );
    }
    respondJson(visit, 200, shape.one(found));
  };
}
