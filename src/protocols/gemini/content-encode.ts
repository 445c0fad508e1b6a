import {
  isObject,
  type Json,
  type JsonObject,
  type Part,
  parseObject,
  type Seal,
  targetToolId,
  targetToolName,
  textOf,
  type ToolCallPart,
  type ToolResultPart,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { DIALECT, NO_SIGNATURE, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { encodeMedia } from './media-encode.ts';

/** What is known of the conversation as a whole. */
interface Conversation {
  readonly context: TargetContext;
  /** Empty texts stay where they are: this dialect's own client wrote them. */
  readonly own: boolean;
  /** Names of the tools by call id, as the target knows them. */
  readonly names: ReadonlyMap<string, string>;
}

/** The signature that goes back to its maker; seals of others are left out. */
function ownSignature(seal: Seal | undefined, context: TargetContext): { readonly thoughtSignature?: string } {
  if (seal?.by !== DIALECT || (seal.maker !== undefined && seal.maker !== context.maker)) return {};
  return { thoughtSignature: seal.value };
}

/** Arguments as the object that `args` must be. */
function argsOf(part: ToolCallPart): JsonObject {
  if (part.input === 'text') return { input: part.argumentsJson };
  return parseObject(part.argumentsJson) ?? (part.argumentsJson.trim() === '' ? {} : { unparsed_arguments: part.argumentsJson });
}

const idFor = (id: string, { facts }: TargetContext): { readonly id?: string } =>
  facts.geminiToolIds ? { id: targetToolId(id, facts.toolId) } : {};

function encodeCall(part: ToolCallPart, context: TargetContext): JsonObject {
  const functionCall = { ...idFor(part.id, context), name: targetToolName(part, TOOL_NAME_RULE), args: argsOf(part) };
  return { ...residueOf(part), functionCall, ...ownSignature(part.seal, context) };
}

/** Whether `$ref` occurs as a member: Google reads it as a reference to a part of the response. */
function hasReference(value: Json | undefined, depth = 0): boolean {
  if (depth > 64) return true;
  if (Array.isArray(value)) return (value as readonly Json[]).some((one) => hasReference(one, depth + 1));
  if (!isObject(value)) return false;
  return Object.keys(value).some((key) => key === '$ref' || key === 'ref' || hasReference(value[key], depth + 1));
}

/** An object of one text that would read as another's word for its result. */
const isAmbiguous = (value: JsonObject): boolean => {
  const keys = Object.keys(value);
  return keys.length === 1 && ['result', 'output', 'error'].includes(keys[0] as string);
};

/** The object that `response` must be: the result itself where it is one, else its text under a word that Google suggests. */
function responseOf(part: ToolResultPart): JsonObject {
  if (isObject(part.json)) return part.json;
  const text = textOf(part.content);
  if (part.isError) return { error: text };
  const value = text.trimStart().startsWith('{') ? parseObject(text) : undefined;
  return value && !isAmbiguous(value) && !hasReference(value) ? value : { result: text };
}

function encodeResult(part: ToolResultPart, { context, names }: Conversation): JsonObject {
  const { functionResponse, ...rest } = residueOf(part);
  const media = part.content.filter((inner) => inner.kind === 'media').map(encodeMedia);
  return {
    ...rest,
    functionResponse: {
      ...(isObject(functionResponse) ? functionResponse : {}),
      ...idFor(part.callId, context),
      name: names.get(part.callId) ?? part.name ?? 'tool',
      response: responseOf(part),
      ...(media.length > 0 ? { parts: media } : {}),
    },
  };
}

function dropped(kind: string, context: TargetContext): undefined {
  context.notes.add(kind, 'dropped', 'only the provider that made it takes it back');
  return undefined;
}

function encodePart(part: Part, conversation: Conversation): JsonObject | undefined {
  const { context } = conversation;
  switch (part.kind) {
    case 'text': {
      const signed = ownSignature(part.seal, context);
      return part.text === '' && !conversation.own && signed.thoughtSignature === undefined
        ? undefined
        : { ...residueOf(part), text: part.text, ...signed };
    }
    case 'refusal':
      return part.text === '' ? undefined : { text: part.text };
    case 'media':
      return { ...encodeMedia(part), ...ownSignature(part.seal, context) };
    case 'reasoning': {
      const signed = ownSignature(part.seal, context);
      if (part.seal && signed.thoughtSignature === undefined) return dropped('reasoning', context);
      return part.text === '' && !part.seal ? undefined : { ...residueOf(part), text: part.text, thought: true, ...signed };
    }
    case 'tool-call':
      return encodeCall(part, context);
    case 'tool-result':
      return encodeResult(part, conversation);
    case 'hosted-call':
    case 'hosted-result':
      return part.native?.by === DIALECT ? { ...part.native.value, ...ownSignature(part.seal, context) } : dropped(part.kind, context);
    case 'native':
      return part.by === DIALECT ? part.value : dropped(part.kind, context);
  }
}

const encodeParts = (parts: readonly Part[], conversation: Conversation): readonly JsonObject[] =>
  parts.map((part) => encodePart(part, conversation)).filter((part) => part !== undefined);

/** The target's model insists on a signature at the first call of a turn: it is told that another model made the call. */
function signFirstCall(parts: readonly JsonObject[], context: TargetContext): readonly JsonObject[] {
  const { facts } = context;
  if (!facts.geminiToolIds && facts.reasoningControl !== 'level') return parts;
  const first = parts.findIndex((part) => part['functionCall'] !== undefined);
  if (first < 0 || parts.some((part) => part['functionCall'] !== undefined && part['thoughtSignature'] !== undefined)) return parts;
  return parts.map((part, index) => (index === first ? { ...part, thoughtSignature: NO_SIGNATURE } : part));
}

/** Tool names by call id, as the target knows them. */
function targetNames(turns: readonly Turn[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const turn of turns) {
    for (const part of turn.parts) if (part.kind === 'tool-call') names.set(part.id, targetToolName(part, TOOL_NAME_RULE));
  }
  return names;
}

/** Writes parts that stand in no conversation: instructions. */
export const encodeTexts = (parts: readonly Part[], context: TargetContext): readonly JsonObject[] =>
  encodeParts(parts, { context, own: false, names: new Map() });

/** Writes turns as `contents`; those of which nothing is left are refused by the API and go. */
export function encodeContents(turns: readonly Turn[], own: boolean, context: TargetContext): readonly JsonObject[] {
  const conversation = { context, own, names: targetNames(turns) };
  const contents = turns.flatMap((turn): readonly JsonObject[] => {
    const parts = encodeParts(turn.parts, conversation);
    if (parts.length === 0) return [];
    if (turn.role !== 'assistant') return [{ role: 'user', parts }];
    return [{ role: 'model', parts: signFirstCall(parts, context) }];
  });
  // A message of nothing is still to be answered.
  return contents.length > 0 ? contents : [{ role: 'user', parts: [{ text: '' }] }];
}
