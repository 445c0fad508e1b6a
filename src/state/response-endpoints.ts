import { badField, GatewayError, gatewayFault, type JsonObject } from '../ir/index.ts';
import { sseText } from '../wire/sse.ts';
import type { Visit } from '../http/gateway/visit.ts';
import { answerHeaders, answerJson, unknownPath, wrongMethod } from './answer.ts';
import type { Background } from './background.ts';
import { responseInput } from './history.ts';
import { itemPage } from './paging.ts';
import { itemsIn } from './items.ts';
import type { StateRecord } from './ports.ts';
import { httpHandler } from './reply-handler.ts';
import { replayedFrames, sequenceOf } from './response-frames.ts';
import type { TurnPorts } from './turn-ports.ts';

const notFound = (id: string): GatewayError =>
  new GatewayError(
    gatewayFault('not_found', `Response with id '${id.slice(0, 100)}' not found.`, { param: 'response_id', code: 'response_not_found' }),
  );

async function recordOf(visit: Visit, id: string, ports: TurnPorts): Promise<StateRecord> {
  const record = await ports.store.get({ owner: visit.key.id, kind: 'response', id });
  if (!record) throw notFound(id);
  return record;
}

/** `starting_after`: the number of the last event that the reader has. */
function startingAfter(query: URLSearchParams): number {
  const text = query.get('starting_after');
  if (text === null || text === '') return -1;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw badField('starting_after', "Invalid request: 'starting_after' must be a whole number");
  return value;
}

const isUnfinished = (response: JsonObject): boolean => response['status'] === 'queued' || response['status'] === 'in_progress';

/** Tells a response's events: the true ones while they are here, else those that its end stands for. */
async function stream(visit: Visit, record: StateRecord, ports: TurnPorts, background: Background): Promise<void> {
  const after = startingAfter(visit.path.query);
  const headers = { ...answerHeaders(visit, 'text/event-stream; charset=utf-8'), 'cache-control': 'no-cache' };
  const client = httpHandler(visit.sink);
  const followed = background.follow(visit.key.id, record.id, after, client, headers);
  if (client.hasBegun()) ports.track(visit.sink, visit.client.keepAlive, headers);
  if (await followed) return;
  const response = background.current(record);
  if (isUnfinished(response)) {
    throw new GatewayError(
      gatewayFault('conflict', 'The events of this response are not here (any more). Ask for it without stream until it is done', {
        code: 'response_stream_unavailable',
      }),
    );
  }
  visit.sink.begin(200, headers);
  const frames = [...replayedFrames(response)];
  for (const [index, { data, event }] of frames.entries()) {
    // The end is told in any case: a reader who has counted more events than there are here still waits for it.
    if ((sequenceOf(data) ?? 0) > after || index === frames.length - 1) visit.sink.write(sseText(data, event));
  }
  visit.sink.end();
}

async function retrieve(visit: Visit, id: string, ports: TurnPorts, background: Background): Promise<void> {
  const record = await recordOf(visit, id, ports);
  if (visit.path.query.get('stream') === 'true') await stream(visit, record, ports, background);
  else answerJson(visit, background.current(record));
}

async function remove(visit: Visit, id: string, ports: TurnPorts, background: Background): Promise<void> {
  const owner = visit.key.id;
  const record = await recordOf(visit, id, ports);
  await background.cancel(owner, id);
  await ports.store.deleteChildren({ owner, kind: 'reference', parent: record.id });
  await ports.store.delete({ owner, kind: 'response', id });
  answerJson(visit, { id, object: 'response', deleted: true });
}

async function cancel(visit: Visit, id: string, ports: TurnPorts, background: Background): Promise<void> {
  const record = await recordOf(visit, id, ports);
  const response = background.current(record);
  if (response['background'] !== true) {
    throw new GatewayError(
      gatewayFault('bad_request', 'Only a response that was made with background: true can be cancelled', {
        code: 'response_not_cancellable',
      }),
    );
  }
  answerJson(visit, (await background.cancel(visit.key.id, id)) ?? response);
}

async function inputItems(visit: Visit, id: string, ports: TurnPorts): Promise<void> {
  await recordOf(visit, id, ports);
  const items = await responseInput(ports.store, visit.key.id, id);
  answerJson(visit, itemPage(itemsIn({ items }, 'items'), visit.path.query));
}

/** `/responses/{id}` and what is below it. */
export function responseEndpoint(visit: Visit, rest: readonly string[], ports: TurnPorts, background: Background): Promise<void> {
  const [id = '', word, ...more] = rest;
  const { method } = visit;
  const reads = method === 'GET' || method === 'HEAD';
  if (more.length > 0 || id === '') throw unknownPath();
  if (word === undefined) {
    if (reads) return retrieve(visit, id, ports, background);
    if (method === 'DELETE') return remove(visit, id, ports, background);
    throw wrongMethod('GET, DELETE');
  }
  if (word === 'input_items') {
    if (reads) return inputItems(visit, id, ports);
    throw wrongMethod('GET');
  }
  if (word !== 'cancel') throw unknownPath();
  if (method === 'POST') return cancel(visit, id, ports, background);
  throw wrongMethod('POST');
}
