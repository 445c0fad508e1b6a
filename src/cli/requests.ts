import { dataFolder } from '../config/data-folder.ts';
import type { Language } from '../config/language.ts';
import type { CallRecord } from '../exchange/ports.ts';
import { candidatesOf, isKept } from '../policy/kept-decision.ts';
import type { Decision } from '../policy/decide.ts';
import { columns, twoColumns } from './help.ts';
import type { Messages } from './messages.ts';
import { requestMessagesIn } from './messages-requests.ts';
import { type Args, UsageError } from './parse-args.ts';
import { type CliPorts, EXIT, type RequestsView } from './ports.ts';
import { decisionText } from './decision-text.ts';

/** Reads the table of requests of the data folder that a command names, and closes it; without one the exit code says so. */
export async function withRequests(
  args: Args,
  ports: CliPorts,
  language: Language,
  read: (view: RequestsView, folder: string) => Promise<number> | number,
): Promise<number> {
  const folder = dataFolder(args.values.data, ports.env, ports.cwd, ports.home);
  const view = await ports.requests?.(folder);
  if (!view) {
    ports.stderr.write(`${requestMessagesIn(language).noTable(folder)}\n`);
    return EXIT.notFound;
  }
  try {
    return await read(view, folder);
  } finally {
    view.close();
  }
}

/** The recorded call of an id; without one, the exit code after saying so. */
export function findRequest(id: string, view: RequestsView, folder: string, ports: CliPorts, language: Language): CallRecord | undefined {
  const record = view.find(id);
  if (!record) ports.stderr.write(`${requestMessagesIn(language).noRequest(id, folder)}\n`);
  return record;
}

/** A kept decision, as a decision. */
export function keptDecision({ asked, fault, route }: CallRecord): Decision | undefined {
  if (!isKept(route)) return undefined;
  const { x: refused } = route;
  return { asked, candidates: candidatesOf(route), ...(refused === undefined ? {} : { refusal: { kind: refused, message: fault ?? '' } }) };
}

/** A time as people here read it. */
export const timeText = (at: number): string => {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString();
  return `${local.slice(0, 10)} ${local.slice(11, 19)}`;
};

const placeOf = ({ provider, model }: CallRecord): string => (provider === undefined ? '-' : `${provider}/${model ?? ''}`);

/** A member of a record for people: times of theirs, fractions of milliseconds to two places. */
function shown(name: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  return name === 'at' ? timeText(value) : String(Math.round(value * 100) / 100);
}

const USUAL_LAST = 20;

function lastOf(value: string | undefined, language: Language): number {
  if (value === undefined) return USUAL_LAST;
  const last = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (last >= 1 && last <= 1000) return last;
  throw new UsageError(requestMessagesIn(language).lastNumber(value));
}

/** Why it failed, else that it was answered without a call of its own. */
const remarkOf = ({ fault, cache }: CallRecord): string => fault ?? (cache === undefined ? '' : `cache: ${cache}`);

/** `pailou requests`: the newest calls, one a line; with `--json` one document a line. */
export async function requestsCommand(args: Args, ports: CliPorts, language: Language): Promise<number> {
  const last = lastOf(args.values.last, language);
  return withRequests(args, ports, language, (view) => {
    const records = view.last(last);
    if (args.on.has('json')) {
      for (const record of records) ports.stdout.write(`${JSON.stringify(record)}\n`);
      return EXIT.done;
    }
    const { time, id, status, where, tries, ms, tokens, remark } = requestMessagesIn(language);
    const rows = records.map((record) => [
      timeText(record.at),
      record.id,
      String(record.status),
      `${record.asked || '-'} → ${placeOf(record)}`,
      String(record.attempts),
      String(Math.round(record.durationMs)),
      record.input === undefined ? '-' : `${record.input}/${record.output ?? 0}`,
      remarkOf(record),
    ]);
    ports.stdout.write(`${columns([[time, id, status, where, tries, ms, tokens, remark], ...rows])}\n`);
    return EXIT.done;
  });
}

/** `pailou request ID`: all that is kept of one call. */
export async function requestCommand(args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> {
  const [id] = args.words;
  if (id === undefined) throw new UsageError(messages.wordMissing('ID', args.command));
  return withRequests(args, ports, language, (view, folder) => {
    const record = findRequest(id, view, folder, ports, language);
    if (!record) return EXIT.notFound;
    if (args.on.has('json')) {
      ports.stdout.write(`${JSON.stringify(record, undefined, 2)}\n`);
      return EXIT.done;
    }
    const { route: _route, ...plain } = record;
    const rows = Object.entries(plain).map(([name, value]): [string, string] => [name, shown(name, value)]);
    const decision = keptDecision(record);
    ports.stdout.write(`${twoColumns(rows)}\n${decision ? `\n${decisionText(decision, messages, language)}` : ''}`);
    return EXIT.done;
  });
}
