import type { ClientSink } from '../../../src/exchange/client-sink.ts';
import { type MediaCall, type MediaContext, runMedia } from '../../../src/exchange/media/media-exchange.ts';
import type { ExchangePorts } from '../../../src/exchange/exchange.ts';
import type { CallRecord } from '../../../src/exchange/ports.ts';
import type { Ability, Fault, JsonObject } from '../../../src/ir/index.ts';
import type { ProviderMedia, ProviderSettings } from '../../../src/presets/preset.ts';
import { compileProvider } from '../../../src/presets/provider.ts';
import { clientCodecs, codecFacts } from '../../../src/protocols/index.ts';
import type { UpstreamRequest } from '../../../src/upstream/send.ts';
import { NOW, portsBefore, snapshotOf } from '../../presets/one-provider.ts';

/** What a provider answers with: the same always, or by what it was asked. */
export interface Canned {
  readonly status: number;
  readonly body: JsonObject | string | ((request: JsonObject) => JsonObject);
  readonly headers?: Readonly<Record<string, string>>;
  /** By the whole request, where its body does not tell it apart (jobs that are asked for). In place of `body`. */
  readonly answer?: (request: UpstreamRequest) => JsonObject;
}

/** What came of one call: the requests as they went out, what the work found, or the fault. */
export interface Outcome<Found> {
  readonly sent: readonly UpstreamRequest[];
  readonly found: Found | undefined;
  readonly fault: Fault | undefined;
  readonly record: CallRecord | undefined;
}

/** Whom a call goes to, and how. */
export interface Whom {
  readonly preset: string;
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset'>;
  readonly ability: Ability;
  readonly model: string;
  readonly strict?: boolean;
  readonly prefers?: (media: ProviderMedia) => boolean;
}

const nothing = (): boolean => true;

function quietSink(): ClientSink {
  return { begun: false, closed: false, begin() {}, write: nothing, end() {}, abort() {}, onGone() {}, onDrain() {} };
}

const textOf = (canned: Canned, request: UpstreamRequest): string => {
  const { body, answer } = canned;
  if (answer) return JSON.stringify(answer(request));
  if (typeof body === 'string') return body;
  return JSON.stringify(typeof body === 'function' ? body(JSON.parse(Buffer.concat(request.body).toString()) as JsonObject) : body);
};

/** A call of this ability. `onFault`: what its client is told. */
function callOf(whom: Whom, onFault: (fault: Fault) => void): MediaCall {
  const { preset, settings, ability, model, strict = false, prefers } = whom;
  const client = clientCodecs.get('openai-chat');
  if (!client) throw new Error('no client codec');
  return {
    id: 'req_1',
    at: NOW,
    started: 0,
    ability,
    key: { id: 'k', name: 'k', strict: false },
    client: {
      ...client,
      encodeFault(told, id) {
        onFault(told);
        return client.encodeFault(told, id);
      },
    },
    model: `it/${model}`,
    strict,
    headers: {},
    snapshot: snapshotOf(compileProvider('it', { preset, key: 'k', ...settings }, codecFacts)),
    ...(prefers ? { prefers } : {}),
  };
}

/** Runs work of an ability's exchange against one preset, and answers for the provider. */
export async function callWhole<Found>(
  whom: Whom,
  canned: Canned,
  work: (context: MediaContext) => Promise<Found>,
): Promise<Outcome<Found>> {
  const sent: UpstreamRequest[] = [];
  let found: Found | undefined;
  let fault: Fault | undefined;
  let record: CallRecord | undefined;
  const ports = portsBefore(
    (request) => {
      sent.push(request);
      const headers = { 'content-type': 'application/json', ...canned.headers };
      return { status: canned.status, headers, body: textOf(canned, request) };
    },
    (made) => (record = made),
  );
  const call = callOf(whom, (told) => (fault = told));
  await runMedia(call, quietSink(), ports as ExchangePorts, async (context) => {
    found = await work(context);
  });
  return { sent, found, fault, record };
}
