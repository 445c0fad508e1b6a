import { badField, type JsonObject } from '../ir/index.ts';

const USUAL = 20;
const MOST = 100;

function wanted(query: URLSearchParams): { readonly limit: number; readonly order: 'asc' | 'desc' } {
  const text = query.get('limit');
  const limit = text === null ? USUAL : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    throw badField('limit', `Invalid request: 'limit' must be a whole number from 1 to ${MOST}`);
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw badField('order', "Invalid request: 'order' must be 'asc' or 'desc'");
  return { limit, order };
}

function placeOf(items: readonly JsonObject[], query: URLSearchParams, name: 'after' | 'before'): number | undefined {
  const id = query.get(name);
  if (id === null || id === '') return undefined;
  const at = items.findIndex((item) => item['id'] === id);
  if (at < 0) throw badField(name, `Invalid request: '${name}' names no item of this list`);
  return at;
}

/** One page of a list of items, in the shape of OpenAI's lists. Throws the 400 that names a wrong parameter. */
export function itemPage(items: readonly JsonObject[], query: URLSearchParams): JsonObject {
  const { limit, order } = wanted(query);
  const all = order === 'asc' ? items : items.toReversed();
  const after = placeOf(all, query, 'after');
  const before = placeOf(all, query, 'before');
  const range = all.slice(after === undefined ? 0 : after + 1, before);
  const data = before === undefined ? range.slice(0, limit) : range.slice(-limit);
  return listOf(data, data.length < range.length);
}

/** A list as OpenAI’s API gives it. */
export const listOf = (data: readonly JsonObject[], hasMore = false): JsonObject => ({
  object: 'list',
  data,
  first_id: data[0]?.['id'] ?? null,
  last_id: data.at(-1)?.['id'] ?? null,
  has_more: hasMore,
});
