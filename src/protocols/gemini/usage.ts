import { compact, isObject, type Json, type JsonObject, type Usage } from '../../ir/index.ts';
import { DIALECT, normal } from './dialect.ts';

const count = (value: Json | undefined): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** Tokens of one modality in a `…TokensDetails` list. */
function modality(details: Json | undefined, name: string): number | undefined {
  if (!Array.isArray(details)) return undefined;
  const found = details.filter(isObject).find((one) => one['modality'] === name);
  return found ? count(found['tokenCount']) : undefined;
}

/** Google counts thoughts apart from the answer and tool results apart from the prompt: both are added to their totals. */
export function decodeUsage(raw: JsonObject): Usage {
  const metadata = normal(raw);
  const toolUse = count(metadata['toolUsePromptTokenCount']);
  const thoughts = count(metadata['thoughtsTokenCount']);
  return compact({
    input: count(metadata['promptTokenCount']) + toolUse,
    output: count(metadata['candidatesTokenCount']) + thoughts,
    cacheRead: metadata['cachedContentTokenCount'] === undefined ? undefined : count(metadata['cachedContentTokenCount']),
    reasoning: thoughts > 0 ? thoughts : undefined,
    toolUse: toolUse > 0 ? toolUse : undefined,
    inputAudio: modality(metadata['promptTokensDetails'], 'AUDIO'),
    inputImage: modality(metadata['promptTokensDetails'], 'IMAGE'),
    outputAudio: modality(metadata['candidatesTokensDetails'], 'AUDIO'),
    outputImage: modality(metadata['candidatesTokensDetails'], 'IMAGE'),
    native: { by: DIALECT, value: metadata },
  } as Usage);
}

/** Tokens by modality, where they were told apart. */
function details(name: string, audio: number | undefined, image: number | undefined): JsonObject {
  const list = [...(audio ? [{ modality: 'AUDIO', tokenCount: audio }] : []), ...(image ? [{ modality: 'IMAGE', tokenCount: image }] : [])];
  return list.length > 0 ? { [name]: list } : {};
}

/** A usage report in Google's words. */
export function encodeUsage(usage: Usage): JsonObject {
  const { input, output, cacheRead } = usage;
  // Zeros are left out on the wire, also of counts that clients rely on.
  if (usage.native?.by === DIALECT) return { promptTokenCount: 0, totalTokenCount: input + output, ...usage.native.value };
  const reasoning = Math.min(usage.reasoning ?? 0, output);
  const toolUse = Math.min(usage.toolUse ?? 0, input);
  return {
    promptTokenCount: input - toolUse,
    candidatesTokenCount: output - reasoning,
    totalTokenCount: input + output,
    ...(cacheRead === undefined ? {} : { cachedContentTokenCount: cacheRead }),
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    ...(toolUse > 0 ? { toolUsePromptTokenCount: toolUse } : {}),
    ...details('promptTokensDetails', usage.inputAudio, usage.inputImage),
    ...details('candidatesTokensDetails', usage.outputAudio, usage.outputImage),
  };
}
