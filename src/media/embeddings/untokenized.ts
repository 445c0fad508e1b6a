import { decode, vocabularySize } from 'gpt-tokenizer/encoding/cl100k_base';
import { badField } from '../../ir/index.ts';

/** The text of tokens as OpenAI's embedding models count them; `at` names them. https://github.com/openai/tiktoken */
export function textOfTokens(tokens: readonly number[], at: string): string {
  const wrong = tokens.findIndex((token) => token >= vocabularySize);
  if (wrong >= 0)
    throw badField(`${at}[${wrong}]`, `Invalid request: '${at}[${wrong}]' is no token of cl100k_base, and this model takes text only`);
  return decode(tokens);
}
