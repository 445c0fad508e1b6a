import type { Call } from '../../../exchange/call.ts';
import type { ChatRequest, JsonObject } from '../../../ir/index.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import { decide } from '../../../policy/decide.ts';
import type { GatewayPorts, Visit } from '../visit.ts';

/** Whether a request may want sound back: seen in the bytes of its configuration. */
function wantsSound({ scan, body }: Call): boolean {
  const span = scan.values.get('generationConfig') ?? scan.values.get('generation_config');
  return span !== undefined && body.subarray(span.from, span.to).includes('AUDIO');
}

/** Whether the model is one that a provider only speaks with, and not in Gemini's own protocol. */
function isSpokenElsewhere({ snapshot, model, key, platform, client }: Call): boolean {
  const decision = decide(snapshot, {
    model,
    operation: 'speech',
    key,
    protocol: client.id,
    ...(platform === undefined ? {} : { platform }),
  });
  const chosen = decision.candidates.find((one) => one.verdict === 'chosen');
  const provider = chosen && snapshot.providers.get(chosen.provider);
  return provider !== undefined && provider.wires.get('gemini')?.serves(chosen?.model ?? '') !== true;
}

/**
 * `:generateContent` that asks for sound of a model that speaks: answered by the provider's speech. `undefined`: it is
 * something else.
 */
export function geminiSpeech(visit: Visit, call: Call, ports: GatewayPorts): Promise<void> | undefined {
  // Looked for before anything is parsed: every other request goes on as it is.
  if (call.client.id !== 'gemini' || !wantsSound(call) || !isSpokenElsewhere(call)) return undefined;
  const request = call.client.decodeRequest({ ...parseBody(call.body), model: call.model, stream: call.stream });
  if (request.modalities?.includes('audio') !== true) return undefined;
  return speak(visit, call, request, ports);
}

/** What makes sound is loaded with the first call that wants it: a server for chat starts without. */
async function speak({ sink }: Visit, call: Call, request: ChatRequest, ports: GatewayPorts): Promise<void> {
  const [{ runMedia }, { readGeminiSpeech, speakGemini, writeGeminiSpeech }] = await Promise.all([
    import('../../../exchange/media/media-exchange.ts'),
    import('../../../exchange/media/speech-gemini.ts'),
  ]);
  const asked = readGeminiSpeech(request);
  const { stream, form } = call;
  const told = (): JsonObject => parseBody(call.body);
  const write = (writing: Writing): void => writeGeminiSpeech(writing, asked);
  await runMedia({ ...call, ability: 'speech', told, write, inBand: stream, isRepeatable: true }, sink, ports, (context) =>
    speakGemini(context, asked, stream, form),
  );
}
