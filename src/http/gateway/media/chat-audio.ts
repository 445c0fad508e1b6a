import type { Call } from '../../../exchange/call.ts';
import { chatThenSpeak, holdsTranscript, speakChat, wantedAudio, withTranscripts } from '../../../exchange/media/chat-audio.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import { decide, type RouteRequest } from '../../../policy/decide.ts';
import type { Provider } from '../../../presets/preset.ts';
import type { GatewayPorts, Visit } from '../handle.ts';

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

/**
 * A chat that wants audio of a model that has none: by the model that speaks for it (`speech` on its provider), or the model
 * itself where it only speaks. `undefined`: it is something else. A body with ids of ours comes back with what they stand for.
 */
export function chatAudio(visit: Visit, call: Call, ports: GatewayPorts): Promise<void> | Call | undefined {
  if (call.client.id !== 'openai-chat') return undefined;
  const isOurs = holdsTranscript(call.body);
  // Found in the bytes before anything is parsed: every other request goes on as it is.
  const mayWant = call.body.includes('"modalities"') && call.body.includes('"audio"');
  if (!isOurs && !mayWant) return undefined;
  const target = chosenFor(call, 'generate');
  const speech = mayWant ? chosenFor(call, 'speech') : undefined;
  const speaks = speech !== undefined && onlySpeaks(speech);
  const by = target?.provider.settings.speech;
  if (!isOurs && !speaks && by === undefined) return undefined;
  const read = parseBody(call.body);
  const body = isOurs ? withTranscripts(read) : read;
  const wanted = speaks || by !== undefined ? wantedAudio(body) : undefined;
  if (wanted && speaks) {
    const { platform } = call;
    return speakChat(call, body, visit.sink, { model: call.model, wanted, ...(platform === undefined ? {} : { platform }) }, ports);
  }
  if (wanted && by !== undefined) return chatThenSpeak(call, body, visit.sink, { model: by, wanted }, ports);
  return isOurs ? { ...call, prepared: { body, raw: true } } : undefined;
}
