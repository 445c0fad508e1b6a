import { type JsonObject, type MediaPart, type Part, parseObject, type ToolCallPart } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { carriedSignature, carrier } from './carried-parts.ts';
import { DIALECT, residueOf, signature } from './dialect.ts';
import { encodeHosted } from './hosted-parts.ts';
import { encodeMedia } from './media-encode.ts';

/** Arguments as the object that `args` is; what is no object stands under a name of ours. */
function argsOf(part: ToolCallPart): JsonObject {
  if (part.input === 'text') return { input: part.argumentsJson };
  return parseObject(part.argumentsJson) ?? (part.argumentsJson.trim() === '' ? {} : { unparsed_arguments: part.argumentsJson });
}

const functionCall = (part: ToolCallPart): JsonObject => ({
  ...residueOf(part),
  functionCall: { id: part.id, name: part.name, args: argsOf(part) },
  ...signature(part.seal),
});

function media(part: MediaPart, context: ReplyContext): readonly JsonObject[] {
  if (part.source.type === 'file' && part.source.by !== DIALECT) {
    context.notes.add('media', 'dropped', 'a file of another provider cannot be shown');
    return [];
  }
  return [{ ...encodeMedia(part), ...signature(part.seal) }];
}

/** A tool of the provider's: in this dialect's words where it has some, else carried unseen. */
function hosted(part: Extract<Part, { kind: 'hosted-call' | 'hosted-result' }>): JsonObject {
  const shown = encodeHosted(part);
  if (!shown) return carrier(part);
  return part.native?.by === DIALECT ? { ...shown, ...signature(part.seal) } : { ...shown, thoughtSignature: carriedSignature(part) };
}

/** Writes a finished part of a reply. */
export function encodeReplyPart(part: Part, context: ReplyContext): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
      return part.text === '' && !part.seal ? [] : [{ ...residueOf(part), text: part.text, ...signature(part.seal) }];
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'reasoning':
      // What another maker redacted must come back as what it was.
      if (part.redacted) return [carrier(part)];
      return part.text === '' && !part.seal ? [] : [{ ...residueOf(part), text: part.text, thought: true, ...signature(part.seal) }];
    case 'tool-call':
      return [functionCall(part)];
    case 'media':
      return media(part, context);
    case 'hosted-call':
    case 'hosted-result':
      return [hosted(part)];
    case 'native':
      return [part.by === DIALECT ? part.value : carrier(part)];
    case 'tool-result':
      return [];
  }
}
