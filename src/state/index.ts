import type { JsonObject } from '../ir/index.ts';
import type { Call } from '../exchange/call.ts';
import { parseBody } from '../exchange/write-request.ts';
import type { Peers } from '../cluster/peers.ts';
import type { GatewayPorts, Services, Visit } from '../http/gateway/visit.ts';
import type { ClientCodec } from '../protocols/protocol.ts';
import { answerJson, wrongMethod } from './answer.ts';
import { createBackground } from './background.ts';
import { compact } from './compact.ts';
import { conversationEndpoint } from './conversation-endpoints.ts';
import type { Sealer, StateStore } from './ports.ts';
import { httpHandler } from './reply-handler.ts';
import { responseEndpoint } from './response-endpoints.ts';
import { createLocks } from './locks.ts';
import { readWishes, readyResponse } from './response-request.ts';
import { createThreads } from './threads.ts';
import { runTurn, wishesOf } from './turns.ts';
import type { TurnPorts } from './turn-ports.ts';

/** What state is made of. */
export interface StatePorts {
  readonly store: StateStore;
  readonly sealer: () => Promise<Sealer>;
  /** Other processes that do the same work; absent: none. */
  readonly peers?: Pick<Peers, 'lock' | 'ask' | 'answer'>;
}

/** The endpoints over state, and its end. */
export interface StateServices extends Pick<Services, 'state' | 'stateful' | 'expand'> {
  readonly turns: TurnPorts;
  /** Settles when nothing runs in the background. */
  idle(): Promise<void>;
  /** Ends what runs in the background: it has failed. */
  stop(): void;
}

/** What only the gateway understands, wherever it stands in a body. */
const OWN = ['"item_reference"', '"compaction_trigger"', 'pailou-compaction-'].map((word) => Buffer.from(word));
/** Members that name what is kept, or ask for it to be. */
const NAMES = ['previous_response_id', 'conversation', 'background'] as const;

/** Whether a body says in so many words that nothing is to be kept, and names nothing that is: then its bytes may pass as they are. */
function isStateless({ scan, body }: Call): boolean {
  const said = (name: string): string | undefined => {
    const span = scan.values.get(name);
    return span && body.toString('latin1', span.from, span.to);
  };
  if (said('store') !== 'false') return false;
  if (NAMES.some((name) => (said(name) ?? 'null') !== 'null' && said(name) !== 'false')) return false;
  return !OWN.some((word) => body.indexOf(word) >= 0);
}

function codecOf(gateway: GatewayPorts): ClientCodec {
  const codec = gateway.clients.get('openai-responses');
  if (!codec) throw new Error('no client codec for openai-responses');
  return codec;
}

/** Everything that the gateway remembers between calls for clients: responses, conversations, threads. */
export function createState(gateway: () => GatewayPorts, { store, sealer, peers }: StatePorts): StateServices {
  const turns: TurnPorts = {
    get exchange() {
      return gateway();
    },
    store,
    sealer,
    track: (sink, keepAlive, headers) => gateway().track(sink, keepAlive, headers),
    locks: peers ?? createLocks(),
    ...(peers ? { peers } : {}),
  };
  const background = createBackground(turns);
  const threads = createThreads(turns);

  const respond = async (visit: Visit, call: Call): Promise<void> => {
    const body = parseBody(call.body);
    const wishes = wishesOf(call, body);
    if (!wishes.background) return runTurn(call, body, httpHandler(visit.sink), turns);
    const response = await background.start(call, body, wishes);
    if (!call.stream) return answerJson(visit, response);
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
    await background.follow(call.key.id, String(response['id']), -1, httpHandler(visit.sink), headers);
  };

  return {
    turns,
    stateful(visit, call) {
      if (call.operation !== 'generate') return undefined;
      if (call.client.id === 'openai-responses') return isStateless(call) ? undefined : respond(visit, call);
      if (call.client.id === 'anthropic-messages' && call.scan.values.has('thread')) return threads.run(visit, call);
      return undefined;
    },
    state(visit, { resource, rest }, body) {
      if (resource === 'conversations') return conversationEndpoint(visit, rest, body, turns);
      if (rest.length === 1 && rest[0] === 'compact') {
        if (visit.method !== 'POST') throw wrongMethod('POST');
        return compact(visit, body, codecOf(gateway()), turns);
      }
      return responseEndpoint(visit, rest, turns, background);
    },
    async expand(visit, body) {
      if (visit.client.id === 'openai-responses') return expandResponse(body, visit.key.id, turns);
      return visit.client.id === 'anthropic-messages' ? threads.expand(visit, body) : body;
    },
    idle: () => background.idle(),
    stop: () => background.stop(),
  };
}

/** A body to be counted, with what it continues. */
async function expandResponse(body: JsonObject, owner: string, turns: TurnPorts): Promise<JsonObject> {
  if (body['input'] === undefined && body['previous_response_id'] === undefined && body['conversation'] === undefined) return body;
  const { store: _store, background: _background, ...rest } = body;
  return (await readyResponse(rest, readWishes(rest, true), owner, turns)).prepared.body;
}
