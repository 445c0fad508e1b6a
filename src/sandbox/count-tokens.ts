import type { ChatRequest, Part, Tool } from '../ir/index.ts';
import { imageSize } from '../media/image-size.ts';

/** What a message costs beside its text. */
const PER_TURN = 4;
/** An image whose size cannot be read. */
const PLAIN_IMAGE = 85;

const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/gu;

/** Counts text that comes in pieces. */
export interface TextMeter {
  /** Tokens of everything until now, with one more piece. */
  with(piece: string): number;
  add(piece: string): void;
}

/** The sandbox's own count: one token for a wide character, one for four others. Not any vendor's, but always the same. */
export function createTextMeter(): TextMeter {
  let wide = 0;
  let narrow = 0;
  const wideIn = (piece: string): number => piece.match(WIDE)?.length ?? 0;
  return {
    with(piece) {
      const more = wideIn(piece);
      return wide + more + Math.ceil((narrow + piece.length - more) / 4);
    },
    add(piece) {
      const more = wideIn(piece);
      wide += more;
      narrow += piece.length - more;
    },
  };
}

/** Tokens of a text, by the sandbox's own count. */
export const countText = (text: string): number => createTextMeter().with(text);

function countMedia(part: Extract<Part, { kind: 'media' }>): number {
  const { source } = part;
  if (source.type === 'text') return countText(source.text);
  if (part.media === 'image') {
    const size = source.type === 'base64' ? imageSize(Buffer.from(source.data, 'base64')) : undefined;
    return size ? Math.max(1, Math.ceil((size.width * size.height) / 750)) : PLAIN_IMAGE;
  }
  return source.type === 'base64' ? Math.max(1, Math.ceil(source.data.length / 400)) : PLAIN_IMAGE;
}

function countPart(part: Part): number {
  switch (part.kind) {
    case 'text':
    case 'refusal':
    case 'reasoning':
      return countText(part.text);
    case 'media':
      return countMedia(part);
    case 'tool-call':
      return countText(part.name) + countText(part.argumentsJson) + PER_TURN;
    case 'tool-result':
      return countParts(part.content) + PER_TURN;
    case 'hosted-call':
      return countText(part.inputJson);
    case 'hosted-result':
      return countText(part.text);
    case 'native':
      return countText(JSON.stringify(part.value));
  }
}

const countParts = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + countPart(part), 0);

const countTool = (tool: Tool): number =>
  tool.kind === 'function'
    ? PER_TURN + countText(tool.name + (tool.description ?? '') + JSON.stringify(tool.parameters ?? {}))
    : PER_TURN + countText(tool.name);

/** Input tokens of a request, by the sandbox's own count. */
export function countRequest(request: ChatRequest): number {
  const instructions = request.instructions.length > 0 ? countParts(request.instructions) + PER_TURN : 0;
  const turns = request.turns.reduce((sum, turn) => sum + PER_TURN + countParts(turn.parts), 0);
  const tools = request.tools.reduce((sum, tool) => sum + countTool(tool), 0);
  return instructions + turns + tools;
}
