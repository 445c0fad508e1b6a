/** The text delta as the API writes it, up to the block's number; around it nothing but white space. */
const TEXT_DELTA = '{"type":"content_block_delta","index":';
const TEXT_FIELD = ',"delta":{"type":"text_delta","text":"';
/** What a JSON string cannot be copied past without a look. */
const SPECIAL = /["\\\u0000-\u001f]/; // eslint-disable-line no-control-regex

/** The commonest frame: text of a block. */
export interface TextDelta {
  readonly key: string;
  readonly text: string;
  readonly literal: string;
}

/** Reads the commonest frame without parsing all of it; `undefined`: it is another, or written in another way. */
export function readTextDelta(data: string): TextDelta | undefined {
  if (!data.startsWith(TEXT_DELTA)) return undefined;
  const comma = data.indexOf(',', TEXT_DELTA.length);
  if (comma < 0 || !data.startsWith(TEXT_FIELD, comma)) return undefined;
  const from = comma + TEXT_FIELD.length;
  const to = data.lastIndexOf('"');
  if (to < from || !/^"\s*\}\s*\}\s*$/.test(data.slice(to))) return undefined;
  const key = data.slice(TEXT_DELTA.length, comma);
  const inner = data.slice(from, to);
  const literal = data.slice(from - 1, to + 1);
  if (!SPECIAL.test(inner)) return { key, text: inner, literal };
  try {
    return { key, text: JSON.parse(literal) as string, literal };
  } catch {
    return undefined;
  }
}
