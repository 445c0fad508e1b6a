import { GatewayError, gatewayFault, isObject, type JsonObject, type Reply } from '../../ir/index.ts';
import { unknownMembers } from '../../wire/fields.ts';
import type { SourceContext } from '../protocol.ts';
import { given, objects, str, withResidue } from './dialect.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { decodeItem } from './reply-items.ts';
import { decodeStop, hasCall } from './stops.ts';
import { decodeUsage, isUsage } from './usage.ts';

const REPLY = new Set([
  'id',
  'object',
  'created_at',
  'completed_at',
  'status',
  'model',
  'output',
  'output_text',
  'usage',
  'error',
  'incomplete_details',
  'service_tier',
]);

/** Members of a response that the shared language has no word for. */
export const replyResidue = (response: JsonObject): JsonObject => unknownMembers(response, REPLY);

/** Whether a body is an error where a response was due, or one that failed. */
export function isError(body: JsonObject): boolean {
  const { error } = body;
  return (error !== undefined && error !== null && error !== '') || body['status'] === 'failed';
}

/** What a response is named and when it began. */
export const replyHead = (response: JsonObject) => ({
  id: str(response['id']),
  model: str(response['model']),
  ...given('createdAt', typeof response['created_at'] === 'number' && response['created_at'] > 0 ? response['created_at'] : undefined),
});

/** The tier that served it. */
export const tierOf = (response: JsonObject): string | undefined => str(response['service_tier']) || undefined;

/** Reads a whole response. Throws `GatewayError` when the body is an error, or is no response. */
export function decodeReply(body: JsonObject, context: SourceContext): Reply {
  // Some wrap it.
  const response = !Array.isArray(body['output']) && isObject(body['response']) ? body['response'] : body;
  if (isError(response)) throw new GatewayError(decodeErrorObject(response));
  if (!Array.isArray(response['output'])) {
    throw new GatewayError(
      gatewayFault('upstream', 'The upstream answered with something that is no response', { code: 'upstream_bad_reply' }),
    );
  }
  const parts = objects(response['output']).flatMap((item) => decodeItem(item, context));
  const { usage } = response;
  return {
    ...replyHead(response),
    parts,
    stop: decodeStop(response, hasCall(parts)),
    ...(isUsage(usage) ? { usage: decodeUsage(usage) } : {}),
    ...given('serviceTier', tierOf(response)),
    ...withResidue(replyResidue(response)),
  };
}
