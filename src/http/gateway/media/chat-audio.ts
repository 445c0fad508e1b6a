import type { Call } from '../../../exchange/call.ts';
import { holdsTranscript, wantedAudio, withTranscripts } from '../../../exchange/media/chat-audio-wish.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import { decide, type RouteRequest } from '../../../policy/decide.ts';
import type { Provider } from '../../../presets/preset.ts';
import type { GatewayPorts, Visit } from '../visit.ts';

/** With the first call that wants it: a server for chat starts without what makes sound. */
const load = () => import('../../../exchange/media/chat-audio.ts');

/** Where a call goes for one thing. */
function chosenFor(
  { snapshot, model, key, platform, client }: Call,
  operation: RouteRequest['operation'],
): { provider: Provider; model: string } | undefined {
  const decision = decide(snapshot, { model, operation, key, protocol: client.id, ...(platform === undefined ? {} : { platform }) });
  const chosen = decision.candidates.find((one) => one.verdict === 'chosen');
  const provider = chosen && snapshot.providers.get(chosen.provider);
  return provider ? { provider, model: chosen.model } : undefined;
}

/** Whether a model is one that its provider has for speech alone: its preset names such models. */
const onlySpeaks = ({ provider, model }: { readonly provider: Provider; readonly model: string }): boolean =>
  provider.media.some(
    ({ ability, wire, serves }) => ability === 'speech' && serves(model) && wire.models?.some((glob) => !glob.startsWith('!')) === true,
  );

/** Whether a request may want sound back: seen in the bytes of one member. */
function wantsSound({ scan, body }: Call): boolean {
  const span = scan.values.get('modalities');
  return span !== undefined && body.subarray(span.from, span.to).includes('"audio"');
}

/** Whether ids of ours can have been given out. */
function someoneSpeaks({ snapshot }: Call): boolean {
  for (const { settings } of snapshot.providers.values()) if (settings.speech !== undefined) return true;
  return false;
}

/**
 * A chat that wants audio of a model that has none: by the model that speaks for it (`speech` on its provider), or the model
 * itself where it only speaks. `undefined`: it is something else. A body with ids of ours comes back with what they stand for.
 */
export function chatAudio(visit: Visit, call: Call, ports: GatewayPorts): Promise<void> | Call | undefined {
  if (call.client.id !== 'openai-chat') return undefined;
  // Looked for before anything is parsed: every other request goes on as it is.
  const mayWant = wantsSound(call);
  const isOurs = someoneSpeaks(call) && holdsTranscript(call.body);
  if (!isOurs && !mayWant) return undefined;
  const by = chosenFor(call, 'generate')?.provider.settings.speech;
  const speech = mayWant ? chosenFor(call, 'speech') : undefined;
  const speaks = speech !== undefined && onlySpeaks(speech);
  if (!isOurs && !speaks && by === undefined) return undefined;
  const read = parseBody(call.body);
  const body = isOurs ? withTranscripts(read) : read;
  const wanted = speaks || by !== undefined ? wantedAudio(body) : undefined;
  if (wanted && speaks) {
    const { platform } = call;
    const speaker = { model: call.model, wanted, ...(platform === undefined ? {} : { platform }) };
    return load().then(({ speakChat }) => speakChat(call, body, visit.sink, speaker, ports));
  }
  if (wanted && by !== undefined) {
    return load().then(({ chatThenSpeak }) => chatThenSpeak(call, body, visit.sink, { model: by, wanted }, ports));
  }
  return isOurs ? { ...call, prepared: { body, raw: true } } : undefined;
}
