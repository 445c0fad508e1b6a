import { type Part, textOf, type ToolResultPart } from '../ir/index.ts';
import type { Conversation, Language } from './conversation.ts';
import { describeMedia } from './describe-media.ts';

const MAX_TEXT = 2000;

const WORDS: Readonly<
  Record<Language, { readonly nothing: string; failed(name: string, text: string): string; said(name: string, text: string): string }>
> = {
  en: {
    nothing: 'nothing',
    failed: (name, text) => `The tool ${name} failed: ${text}`,
    said: (name, text) => `The tool ${name} answered: ${text}`,
  },
  zh: {
    nothing: '(空)',
    failed: (name, text) => `工具 ${name} 出错了：${text}`,
    said: (name, text) => `工具 ${name} 的结果是：${text}`,
  },
};

/** The text of a result, and its files in words. */
export function resultText(content: readonly Part[], language: Language): string {
  const media = content.flatMap((part) => (part.kind === 'media' ? [describeMedia(part, language)] : []));
  return [textOf(content, '\n'), ...media].filter(Boolean).join('\n');
}

function oneResult(result: ToolResultPart, { language, calledNames }: Conversation): string {
  const words = WORDS[language];
  const name = result.name ?? calledNames.get(result.callId) ?? result.callId;
  const text = resultText(result.content, language) || (result.json === undefined ? words.nothing : JSON.stringify(result.json));
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return result.isError ? words.failed(name, short) : words.said(name, short);
}

/** The answer that uses the results of tools. */
export const tellResults = (conversation: Conversation): string =>
  conversation.results.map((result) => oneResult(result, conversation)).join('\n');
