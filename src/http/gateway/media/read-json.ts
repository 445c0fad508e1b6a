import type { IncomingMessage } from 'node:http';
import { GatewayError, type Json, type JsonObject, parseObject } from '../../../ir/index.ts';
import type { Routing } from '../../../exchange/call.ts';
import type { MediaCall } from '../../../exchange/media/media-exchange.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import { requiredString } from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { Visit } from '../visit.ts';
import { readBody } from '../read-body.ts';
import { readRouting, takeRouting } from '../read-routing.ts';
import { checkedModel, isStrict, scanBody, type ScannedBody } from '../read-call.ts';

/** A body that was looked over, with what it said of where to go, which is taken out of it. */
export interface Scanned extends ScannedBody {
  readonly routing?: Routing;
}

/** A body's members, with what they said of where to go, which is taken out of them. */
export interface Fields {
  readonly fields: JsonObject;
  readonly routing?: Routing;
  /** Size of the JSON that they stood in. */
  readonly bytes?: number;
}

function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    readBody(request, limit, (body) => (Buffer.isBuffer(body) ? resolve(body) : reject(new GatewayError(body))));
  });
}

/** Reads a JSON body of bounded size and depth, and looks where its members stand. Throws the 4xx. */
export async function readScanned(visit: Visit, request: IncomingMessage, wanted?: ReadonlySet<string>): Promise<Scanned> {
  const { limits } = visit.snapshot.config;
  const members = wanted && new Set([...wanted, 'provider', 'models']);
  const body = await readBytes(request, limits.body);
  const { scanned, routing } = readRouting(scanBody(body, limits.depth, members), visit, members);
  return routing ? { ...scanned, routing } : scanned;
}

/** Reads a JSON body of bounded size and depth. Throws the 4xx. */
export async function readJson(visit: Visit, request: IncomingMessage): Promise<Fields> {
  const { body, routing } = await readScanned(visit, request);
  return { fields: parseBody(body), bytes: body.length, ...(routing ? { routing } : {}) };
}

/** Names in a form: a JSON list, or with commas between them; said once or several times. */
function namesIn(value: Json): Json {
  if (Array.isArray(value)) return value.flatMap((one: Json) => namesIn(one));
  if (typeof value !== 'string') return value;
  const list = value.trimStart().startsWith('[') ? parseObject(`{"names":${value}}`)?.['names'] : undefined;
  return list ?? value.split(',').map((one) => one.trim());
}

/** What the members of a form say of where to go: as in a body, with JSON, or names with commas between them, in place of lists. */
export function takeFormRouting(fields: JsonObject, visit: Visit): Fields {
  const { provider, models, ...rest } = fields;
  if (provider === undefined && models === undefined) return { fields };
  return takeRouting(
    {
      ...rest,
      ...(provider === undefined ? {} : { provider: typeof provider === 'string' ? (parseObject(provider) ?? provider) : provider }),
      ...(models === undefined ? {} : { models: namesIn(models) }),
    },
    visit,
  );
}

/**
 * The call that a request makes; its model is the path's, or the body's. `told`: the body where `fields` is not all of it, read only
 * where a route goes by it.
 */
export function mediaCall(
  visit: Visit,
  operation: MediaOperation,
  { fields, routing, bytes }: Fields,
  told = (): JsonObject => fields,
): MediaCall {
  const { id, label, at, started, key, client, headers, snapshot, path, address } = visit;
  return {
    id,
    at,
    started,
    key,
    client,
    headers,
    snapshot,
    ability: operation.ability,
    model: checkedModel(operation.model ?? requiredString(fields, 'model')),
    strict: isStrict(headers, key.strict),
    told,
    ...(bytes === undefined ? {} : { bytes }),
    ...(routing ? { routing } : {}),
    ...(address === undefined ? {} : { address }),
    ...(label === undefined ? {} : { label }),
    ...(path.platform === undefined ? {} : { platform: path.platform }),
  };
}
