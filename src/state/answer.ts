import type { Call } from '../exchange/call.ts';
import { callHeaders } from '../exchange/out-headers.ts';
import { GatewayError, gatewayFault, type JsonObject } from '../ir/index.ts';
import type { OutHeaders } from '../exchange/client-sink.ts';
import { parseBody } from '../exchange/write-request.ts';
import type { Visit } from '../http/gateway/visit.ts';
import { scanTopLevel } from '../wire/top-level-scan.ts';

/** Headers of an answer of ours. */
export const answerHeaders = (visit: Visit, contentType: string): OutHeaders => ({
  ...callHeaders(visit as unknown as Call),
  'content-type': contentType,
});

/** Answers with a JSON body of ours. `more`: who was asked for it. */
export function answerJson(visit: Visit, body: JsonObject, more: OutHeaders = {}): void {
  const bytes = Buffer.from(JSON.stringify(body));
  visit.sink.begin(200, { ...answerHeaders(visit, 'application/json'), ...more }, bytes.length);
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

const NONE: ReadonlySet<string> = new Set();

/** A body that may be empty, as an object. Throws the 400 for what is none, or is nested too deeply to be printed again. */
export function bodyOf(visit: Visit, body: Buffer): JsonObject {
  if (body.length === 0) return {};
  if (scanTopLevel(body, NONE, visit.snapshot.config.limits.depth, false) === 'too-deep') {
    throw new GatewayError(
      gatewayFault('bad_request', 'Invalid request: the JSON body is nested too deeply (limits.depth)', { code: 'body_too_deep' }),
    );
  }
  return parseBody(body);
}
