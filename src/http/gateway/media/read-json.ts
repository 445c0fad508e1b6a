import type { IncomingMessage } from 'node:http';
import { GatewayError, type JsonObject } from '../../../ir/index.ts';
import type { MediaCall } from '../../../exchange/media/media-exchange.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import { requiredString } from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { Visit } from '../handle.ts';
import { readBody } from '../read-body.ts';
import { checkedModel, isStrict, scanBody, type ScannedBody } from '../read-call.ts';

/** Reads a JSON body of bounded size and depth, and looks where its members stand. Throws the 4xx. */
export function readScanned(visit: Visit, request: IncomingMessage, wanted?: ReadonlySet<string>): Promise<ScannedBody> {
  const { limits } = visit.snapshot.config;
  return new Promise((resolve, reject) => {
    readBody(request, limits.body, (body) => {
      if (!Buffer.isBuffer(body)) return reject(new GatewayError(body));
      try {
        resolve(scanBody(body, limits.depth, wanted));
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

/** Reads a JSON body of bounded size and depth. Throws the 4xx. */
export const readJson = async (visit: Visit, request: IncomingMessage): Promise<JsonObject> =>
  parseBody((await readScanned(visit, request)).body);

/** The call that a request makes; its model is the path's, or the body's. */
export function mediaCall(visit: Visit, operation: MediaOperation, body: JsonObject): MediaCall {
  const { id, label, at, started, key, client, headers, snapshot, path } = visit;
  return {
    id,
    at,
    started,
    key,
    client,
    headers,
    snapshot,
    ability: operation.ability,
    model: checkedModel(operation.model ?? requiredString(body, 'model')),
    strict: isStrict(headers, key.strict),
    ...(label === undefined ? {} : { label }),
    ...(path.platform === undefined ? {} : { platform: path.platform }),
  };
}
