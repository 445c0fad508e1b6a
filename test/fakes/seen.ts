// What a client saw of an answer, and whether a fault could be taken for success.
import type { Got } from '../stress/talk.ts';
import type { Family } from './fault-families.ts';
import type { Fault } from './faults.ts';

/** The word of each stream that says it is complete. */
const LAST =
  /\[DONE\]|"type":"response\.completed"|"message_stop"|"finishReason"|_(?:generation|edit)\.completed|transcript\.text\.done|speech\.audio\.done/;
/** An error in a stream whose status has gone out. */
const SAYS_SO = /"error":\s*\{|"type":\s*"error"|response\.failed/;
/** A link to what is kept here, by the address at which the client came. */
const OWN_LINK = /http:\/\/127\.0\.0\.1:\d+\/media\//g;
/** Whether a stream, or the end of one, tells of an error. */
export const saysFailed = (text: string): boolean => SAYS_SO.test(text);

const TELLS_TOO_MUCH = /127\.0\.0\.1|up-secret|169\.254|node_modules/;

/** Why an answer is not whole and good; `undefined`: it is. */
export function flaw(family: Pick<Family, 'isStream' | 'seen'>, { status, text, isWhole }: Got): string | undefined {
  if (status !== 200 || !isWhole) return `status ${status}${isWhole ? '' : ', cut'}: ${text.slice(0, 200)}`;
  const isEvents = family.seen === undefined ? family.isStream : family.seen === 'events';
  if (!isEvents) return text === '' ? 'empty' : undefined;
  return LAST.test(text) && !SAYS_SO.test(text) ? undefined : `no last word: ${text.slice(-200)}`;
}

/** Where a server says that it has no counter, nobody can count for these models. */
const hasNoCounter = ({ name }: Family, fault: Fault, { status }: Got): boolean =>
  name.startsWith('count of tokens') && fault.name === '404' && status === 501;

function refusalProblem({ isFile }: Family, { status }: Fault, got: Got): string | undefined {
  const expected = isFile ? [502] : status;
  if (got.status < 400 || (expected && !expected.includes(got.status))) return `status ${got.status}: ${got.text.slice(0, 200)}`;
  const said = JSON.parse(got.text) as { readonly error?: { readonly message?: unknown }; readonly message?: unknown };
  return typeof (said.error?.message ?? said.message) === 'string' ? undefined : `no envelope: ${got.text.slice(0, 200)}`;
}

/** What is wrong with what a client saw of a fault. */
export function problem(family: Family, fault: Fault, got: Got): string | undefined {
  if (TELLS_TOO_MUCH.test(got.text.replaceAll(OWN_LINK, ''))) return `tells what it must not: ${got.text.slice(0, 300)}`;
  if (hasNoCounter(family, fault, got)) return undefined;
  const why = flaw(family, got);
  if (fault.outcome === 'served') return why;
  if (why === undefined) return fault.outcome === 'either' ? undefined : `looks like success: ${got.text.slice(0, 200)}`;
  if (got.status !== 200) return refusalProblem(family, fault, got);
  // Of a broken answer whose status has gone out, either the connection or an event in it says so.
  return (fault.outcome === 'failed' || family.isLate) && (!got.isWhole || SAYS_SO.test(got.text)) ? undefined : why;
}
