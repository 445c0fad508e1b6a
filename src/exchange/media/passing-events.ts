import { GatewayError, gatewayFault, type JsonObject, parseObject } from '../../ir/index.ts';
import { createCarry } from '../lanes/raw-relay.ts';
import { createSseReader, type SseFrame } from '../../wire/sse.ts';

/** Whether the body of an answer is events. */
export const hasEvents = (headers: Readonly<Record<string, string | string[] | undefined>>): boolean =>
  String(headers['content-type'] ?? '').includes('event-stream');

const endedEarly = (): GatewayError =>
  new GatewayError(
    gatewayFault('upstream', 'The upstream ended its stream before the answer was complete', { code: 'stream_ended_early' }),
  );
const refused = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream answered with an error event', { code: 'upstream_error' }));

/**
 * A provider's own events on their way to a client of its dialect, as they are, and whole ones only: between them a keep-alive may stand, and
 * an error after them. `onLast` is told the event of the type `last`, without which the stream is not complete: then it ends in a
 * `GatewayError`, as it does where an error is all that came. An error later passes.
 */
export async function* passingEvents(
  body: AsyncIterable<Buffer>,
  last: string,
  onLast: (event: JsonObject) => void,
): AsyncGenerator<Buffer> {
  let isOver = false;
  let hasBegun = false;
  let isBroken = false;
  const take = ({ data, event: name }: SseFrame): void => {
    isOver ||= data === '[DONE]';
    const isError = name === 'error' || data.includes('"error"');
    if (!isError && !data.includes(last)) return;
    const event = parseObject(data);
    if (event?.['type'] === last) {
      isOver = true;
      onLast(event);
    } else if (isError && event && (event['error'] || event['type'] === 'error')) isBroken = true;
  };
  const reader = createSseReader();
  const carry = createCarry();
  for await (const piece of body) {
    reader.push(piece, take);
    if (isBroken && !hasBegun) throw refused();
    const events = carry.add(piece);
    if (!events) continue;
    hasBegun = true;
    yield events;
  }
  reader.end(take);
  if (isBroken && !hasBegun) throw refused();
  if (!isOver && !isBroken) throw endedEarly();
  const rest = carry.take();
  if (rest) yield rest;
}
