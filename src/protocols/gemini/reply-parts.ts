import {
  isObject,
  type Json,
  type JsonObject,
  type Part,
  type ReasoningPart,
  type Residue,
  type Seal,
  type TextPart,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { DIALECT, normal, str, withResidue } from './dialect.ts';
import { decodeHosted } from './hosted-parts.ts';
import { mediaKind } from './request-parts.ts';

/*
 * Reads the parts that a model answers with. Lenient: what is not as documented is kept as it is, never refused.
 */

const KNOWN: ReadonlySet<string> = new Set(
  'text thought thoughtSignature inlineData fileData functionCall executableCode codeExecutionResult toolCall toolResponse'.split(' '),
);

interface Common {
  readonly seal?: Seal;
  readonly residue?: Residue;
}

function restOf(part: JsonObject): JsonObject {
  const rest: Record<string, Json | undefined> = {};
  for (const key in part) if (!KNOWN.has(key)) rest[key] = part[key];
  return rest;
}

function commonOf(part: JsonObject, maker: string): Common {
  const value = str(part['thoughtSignature']);
  return { ...(value === '' ? {} : { seal: { by: DIALECT, maker, value } }), ...withResidue(restOf(part)) };
}

function callOf(raw: JsonObject, common: Common, context: SourceContext): Part {
  const call = normal(raw);
  const { args } = call;
  return {
    kind: 'tool-call',
    id: str(call['id']) || context.newId('call_'),
    name: str(call['name']),
    argumentsJson: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
    ...common,
  };
}

function mediaOf(raw: JsonObject, common: Common): Part | undefined {
  const { mimeType, data, fileUri } = normal(raw);
  const mediaType = str(mimeType);
  const source =
    typeof data === 'string'
      ? ({ type: 'base64', data } as const)
      : str(fileUri) === ''
        ? undefined
        : ({ type: 'url', url: str(fileUri) } as const);
  if (!source) return undefined;
  return { kind: 'media', media: mediaKind(mediaType), ...(mediaType === '' ? {} : { mediaType }), source, ...common };
}

/** Reads one part; `undefined` for an empty one, which says nothing. */
export function decodeReplyPart(raw: JsonObject, context: SourceContext): Part | undefined {
  const part = normal(raw);
  const common = commonOf(part, context.maker);
  const { functionCall, inlineData, fileData, text } = part;
  if (isObject(functionCall)) return callOf(functionCall, common, context);
  const media = isObject(inlineData) ? mediaOf(inlineData, common) : isObject(fileData) ? mediaOf(fileData, common) : undefined;
  if (media) return media;
  if (typeof text === 'string') {
    if (text === '' && !common.seal && !common.residue) return undefined;
    return part['thought'] === true ? { kind: 'reasoning', text, ...common } : { kind: 'text', text, ...common };
  }
  const hosted = decodeHosted(part, common);
  if (hosted) return hosted;
  const keys = Object.keys(part);
  if (keys.length === 0) return undefined;
  if (common.seal && keys.length === 1) return { kind: 'text', text: '', ...common };
  return { kind: 'native', by: DIALECT, value: part };
}

/** Whether a part of text or thought flows into its neighbour: one with a signature stands alone. */
export const flows = (part: TextPart | ReasoningPart): boolean => !part.seal && !part.residue;
