import { isObject, type JsonObject, parseObject } from '../ir/index.ts';

/** Events that carry the whole response. */
const LIFECYCLE = /"type"\s*:\s*"response\.(?:created|queued|in_progress|completed|incomplete|failed)"/;
const FINAL: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);
const LIFECYCLE_NAME = /^response\.(?:created|queued|in_progress|completed|incomplete|failed)$/;

/** One event that carries the response, read. */
export interface LifecycleFrame {
  readonly type: string;
  readonly body: JsonObject;
  readonly response: JsonObject;
  readonly isFinal: boolean;
}

/** Reads an event if it carries the response; others are looked at but not parsed. */
export function lifecycleFrame(data: string, event: string | undefined): LifecycleFrame | undefined {
  if (event === undefined ? !LIFECYCLE.test(data) : !LIFECYCLE_NAME.test(event)) return undefined;
  const body = parseObject(data);
  const response = body?.['response'];
  const type = body?.['type'];
  if (!body || !isObject(response) || typeof type !== 'string') return undefined;
  return { type, body, response, isFinal: FINAL.has(type) };
}

/** A bare error event, which ends a stream without a response. */
export function errorFrame(data: string, event: string | undefined): JsonObject | undefined {
  if (event === undefined ? !/"type"\s*:\s*"error"/.test(data) : event !== 'error') return undefined;
  const body = parseObject(data);
  return body?.['type'] === 'error' ? body : undefined;
}

const SEQUENCE = /"sequence_number"\s*:\s*(\d+)/;

/** An event's number, where it has one. */
export function sequenceOf(data: string): number | undefined {
  const found = SEQUENCE.exec(data);
  return found ? Number(found[1]) : undefined;
}

/** The events of a response that is over, told anew: for a reader who comes when the true ones are gone. Only the last one is complete. */
export function* replayedFrames(response: JsonObject): Iterable<{ readonly data: string; readonly event: string }> {
  let sequence_number = 0;
  const frame = (type: string, members: JsonObject): { data: string; event: string } => ({
    event: type,
    data: JSON.stringify({ type, sequence_number: sequence_number++, ...members }),
  });
  const begun = { ...response, status: 'in_progress', output: [], usage: null, error: null, incomplete_details: null, completed_at: null };
  yield frame('response.created', { response: begun });
  yield frame('response.in_progress', { response: begun });
  const output = Array.isArray(response['output']) ? response['output'] : [];
  for (const [output_index, item] of output.entries()) {
    yield frame('response.output_item.added', { output_index, item });
    yield frame('response.output_item.done', { output_index, item });
  }
  yield finalFrame(response, sequence_number);
}

/** The event that ends a response's stream, by its status. */
export function finalFrame(response: JsonObject, sequence_number: number): { readonly data: string; readonly event: string } {
  const { status } = response;
  const type = status === 'completed' || status === 'incomplete' ? `response.${status}` : 'response.failed';
  return { event: type, data: JSON.stringify({ type, sequence_number, response }) };
}
