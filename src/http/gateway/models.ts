import { badField, GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import type { ListedModel, ModelLists } from '../../exchange/model-list.ts';
import { decide } from '../../policy/decide.ts';
import { nearestNames } from '../../policy/nearest.ts';
import { respondJson, type Visit } from './visit.ts';

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

/** Where a page begins or ends. An id that is not listed is a mistake of the caller: to begin anew would never end. */
function placeOf(ids: readonly string[], id: string, name: string): number {
  const at = ids.indexOf(id);
  if (at < 0) throw badField(name, `Invalid request: '${name}' is not the id of a listed model`);
  return at;
}

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
    deprecated_at: null,
    lifecycle: 'active',
    line: null,
    retires_at: null,
  }),
  page(models, query) {
    const limit = count(query, 'limit', 20, 1000);
    const after = query.get('after_id');
    const before = query.get('before_id');
    const ids = models.map((model) => model.id);
    let from = after === null ? 0 : placeOf(ids, after, 'after_id') + 1;
    let to = from + limit;
    if (before !== null) {
      to = placeOf(ids, before, 'before_id');
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

/** Where a page token of ours points to. */
function placeIn(token: string | null): number {
  if (token === null || token === '') return 0;
  const place = Buffer.from(token, 'base64url').toString();
  if (!/^\d{1,9}$/.test(place)) throw badField('pageToken', "Invalid request: 'pageToken' is not one that this server gave");
  return Number(place);
}

/** https://ai.google.dev/api/models#v1beta.models.list: paging by an opaque token. */
const google: Shape = {
  one: ({ id, displayName, inputTokenLimit, outputTokenLimit, methods }) => ({
    name: `models/${id}`,
    version: '001',
    displayName: displayName ?? id,
    ...(inputTokenLimit === undefined ? {} : { inputTokenLimit }),
    ...(outputTokenLimit === undefined ? {} : { outputTokenLimit }),
    supportedGenerationMethods: methods ?? METHODS,
  }),
  page(models, query) {
    const size = count(query, 'pageSize', 50, 1000);
    const from = placeIn(query.get('pageToken'));
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

/** A model that is not listed by this name but that a call would reach all the same: by a pattern, a bare id, or unlisted by its provider. */
function callable(visit: Visit, id: string, listed: readonly ListedModel[]): ListedModel | undefined {
  const { snapshot, key, path } = visit;
  const pinned = path.platform === undefined ? {} : { platform: path.platform };
  const decision = decide(snapshot, { model: id, protocol: visit.client.id, operation: 'generate', key, ...pinned });
  const chosen = decision.candidates.find((one) => one.verdict === 'chosen');
  if (!chosen) return undefined;
  const target = listed.find((model) => model.id === `${chosen.provider}/${chosen.model}`);
  return { createdAt: 0, ownedBy: chosen.provider, ...target, id };
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
    const found = models.find((model) => model.id === id) ?? callable(visit, id, models);
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
