import type { ChatRequest, MediaPart, Part, ToolResultPart, Turn } from '../ir/index.ts';

/** The languages that the sandbox answers in. */
export type Language = 'en' | 'zh';

/** What a conversation asks now, and what it said before. */
export interface Conversation {
  /** Text of the last user turns, after the last answer. */
  readonly prompt: string;
  /** Files beside it, also those inside tool results. */
  readonly media: readonly MediaPart[];
  readonly results: readonly ToolResultPart[];
  /** What the user said in earlier turns, oldest first. */
  readonly earlier: readonly string[];
  readonly language: Language;
  /** Tool names by call id. */
  readonly calledNames: ReadonlyMap<string, string>;
}

const HAN = /\p{sc=Han}/gu;

/** Chinese when a fair part of the letters is; code and names in Latin letters do not count much. */
function languageOf(text: string): Language | undefined {
  const han = text.match(HAN)?.length ?? 0;
  const latin = text.match(/[a-z]+/gi)?.length ?? 0;
  if (han === 0 && latin === 0) return undefined;
  return han > 0 && han * 2 >= latin ? 'zh' : 'en';
}

const textsOf = (parts: readonly Part[]): string =>
  parts
    .flatMap((part) => (part.kind === 'text' ? [part.text] : []))
    .join('\n')
    .trim();

/** Where the turns after the last answer begin. */
function lastAnswer(turns: readonly Turn[]): number {
  return turns.findLastIndex((turn) => turn.role === 'assistant');
}

function mediaOf(parts: readonly Part[]): readonly MediaPart[] {
  return parts.flatMap((part) => (part.kind === 'media' ? [part] : part.kind === 'tool-result' ? mediaOf(part.content) : []));
}

/** Reads a request as a conversation. */
export function readConversation(request: ChatRequest): Conversation {
  const { turns } = request;
  const since = lastAnswer(turns) + 1;
  const said = turns.filter((turn) => turn.role === 'user');
  const now = turns.slice(since).filter((turn) => turn.role === 'user');
  const parts = now.flatMap((turn) => turn.parts);
  const prompt = now
    .map((turn) => textsOf(turn.parts))
    .filter(Boolean)
    .join('\n');
  const texts = said.map((turn) => textsOf(turn.parts)).filter(Boolean);
  const earlier = turns
    .slice(0, since)
    .filter((turn) => turn.role === 'user')
    .map((turn) => textsOf(turn.parts))
    .filter(Boolean);
  const calledNames = new Map<string, string>();
  for (const turn of turns) for (const part of turn.parts) if (part.kind === 'tool-call') calledNames.set(part.id, part.name);
  const language = languageOf(prompt) ?? languageOf(texts.at(-1) ?? '') ?? languageOf(textsOf(request.instructions)) ?? 'en';
  const results = parts.filter((part) => part.kind === 'tool-result');
  return { prompt, media: mediaOf(parts), results, earlier, language, calledNames };
}

/** The last thing that the user said, for `echo`: the last user turn's text, or that of the tool results in it. */
export function lastUserText(request: ChatRequest): string {
  const said = request.turns.filter((turn) => turn.role === 'user').toReversed();
  for (const turn of said) {
    const texts = turn.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
    if (texts.length > 0) return texts.join('\n');
  }
  for (const turn of said) {
    const results = turn.parts.flatMap((part) => (part.kind === 'tool-result' ? [textsOf(part.content)] : []));
    if (results.length > 0) return results.join('\n');
  }
  return '';
}
