import { badField } from '../../ir/index.ts';

/** What one speaker says in one go. */
export interface Line {
  readonly speaker: string;
  readonly text: string;
}

/** A script for two, taken apart. */
export interface Script {
  /** What stands before the first speaker: how to speak, never spoken. */
  readonly preamble: string;
  readonly lines: readonly Line[];
}

/** A request for each line: no more than this at once. */
const MAX_LINES = 200;

/** `Name: words`, bold or not; with an ASCII or a full-width colon. */
const LABEL = /^\s*(?:\*\*)?([\p{L}\p{N}][\p{L}\p{N} ._'’-]{0,39}?)(?:\*\*)?\s*[:：](?:\*\*)?\s*(.*)$/u;

const isSame = (a: string, b: string): boolean => a.localeCompare(b, 'en', { sensitivity: 'accent' }) === 0;

/** Whether a label reads as somebody's name: three words at most, letters in it, and none of them a small one in first place. */
const isName = (label: string): boolean => label.split(/\s+/).length <= 3 && /\p{L}/u.test(label) && !/^\p{Ll}/u.test(label);

/**
 * Splits a script by the lines that begin with a speaker's name. What stands before the first is the preamble; a line without
 * a name goes on with what was said before; somebody else's name is a third speaker, which is refused.
 */
export function splitScript(text: string, speakers: readonly string[], param: string): Script {
  const preamble: string[] = [];
  const lines: { readonly speaker: string; text: string }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, label = '', said = ''] = LABEL.exec(line) ?? [];
    const speaker = speakers.find((one) => isSame(one, label.trim()));
    const last = lines.at(-1);
    if (speaker === undefined) {
      if (last && said !== '' && isName(label)) {
        const message = `Invalid request: the script has a line of '${label.slice(0, 40)}', who has no voice in 'speakerVoiceConfigs'`;
        throw badField(param, message, 'unknown_speaker');
      }
      if (!last) preamble.push(line);
      else if (line.trim() !== '') last.text += `\n${line.trim()}`;
    } else if (last && last.speaker === speaker) last.text += `\n${said}`;
    else lines.push({ speaker, text: said });
  }
  const spoken = lines.map((line) => ({ ...line, text: line.text.trim() })).filter((line) => line.text !== '');
  if (spoken.length === 0) {
    throw badField(param, `Invalid request: no line of the script begins with '${speakers.join(":' or '")}:'`, 'no_speaker');
  }
  if (spoken.length > MAX_LINES) throw badField(param, `Invalid request: the script has more than ${MAX_LINES} changes of speaker`);
  return { preamble: preamble.join('\n').trim(), lines: spoken };
}
