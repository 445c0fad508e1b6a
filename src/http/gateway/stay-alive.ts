import type { Call } from '../../exchange/call.ts';
import type { ClientSink } from '../../exchange/client-sink.ts';
import { callHeaders } from '../../exchange/out-headers.ts';
import type { GatewayPorts, Visit } from './visit.ts';

/** White space before a JSON text, or between the elements of one, means nothing. https://www.rfc-editor.org/rfc/rfc8259#section-2 */
const SPACE = '\n';

const SSE = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
const JSON_TEXT = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' };

/** How an answer is awaited. */
export type Form = Call['form'] | 'whole';

type Waiting = Pick<Visit, 'client' | 'id' | 'label' | 'sink' | 'snapshot'>;

/**
 * Keeps whoever waits for an answer from giving up while nothing comes: a stream always (server-sent events, or elements of a JSON
 * array), one JSON text (`whole`) where the configuration says so.
 */
export function stayAlive(visit: Waiting, form: Form, { track }: Pick<GatewayPorts, 'track'>): void {
  const { sink, client, snapshot } = visit;
  if (form === 'whole' && snapshot.config.server.keepAlive?.whole !== true) return;
  if (form === 'sse') track(sink, client.keepAlive, { ...callHeaders(visit), ...SSE });
  else track(sink, SPACE, { ...callHeaders(visit), ...JSON_TEXT }, form === 'whole');
}

/** Work whose client may have been kept alive: an error that nobody has told it breaks the connection, as the status of the answer is gone. */
export async function brokenOff<T>(work: Promise<T>, sink: ClientSink): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (sink.begun) sink.abort();
    throw error;
  }
}

/**
 * Does what a client waits for, and keeps it alive meanwhile. Its own sink, not one that records: asked again, it shall be told what came
 * of it, not what it was kept waiting with.
 */
export function whileAlive<T>(visit: Waiting, form: Form, ports: Pick<GatewayPorts, 'track'>, work: () => Promise<T>): Promise<T> {
  stayAlive(visit, form, ports);
  return form === 'whole' ? brokenOff(work(), visit.sink) : work();
}
