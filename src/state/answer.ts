import type { Call } from '../exchange/call.ts';
import { callHeaders } from '../exchange/out-headers.ts';
import { GatewayError, gatewayFault, type JsonObject } from '../ir/index.ts';
import type { OutHeaders } from '../exchange/client-sink.ts';
import type { Visit } from '../http/gateway/handle.ts';

/** Headers of an answer of ours. */
export const answerHeaders = (visit: Visit, contentType: string): OutHeaders => ({
  ...callHeaders(visit as unknown as Call),
  'content-type': contentType,
});

/** Answers with a JSON body of ours. */
export function answerJson(visit: Visit, body: JsonObject, status = 200): void {
  const bytes = Buffer.from(JSON.stringify(body));
  visit.sink.begin(status, answerHeaders(visit, 'application/json'), bytes.length);
  visit.sink.end(bytes);
}

/** The 405 for a method that a path does not have. */
export const wrongMethod = (allow: string): GatewayError =>
  new GatewayError({ ...gatewayFault('bad_request', `This path answers ${allow}`, { code: 'method_not_allowed' }), status: 405 });

/** The 404 for a path below a resource. */
export const unknownPath = (): GatewayError =>
  new GatewayError(
    gatewayFault('not_found', 'Unknown path. See GET /v1/models and the API documentation for what there is', { code: 'unknown_path' }),
  );
