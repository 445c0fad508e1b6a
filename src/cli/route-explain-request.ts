import type { Language } from '../config/language.ts';
import { loadConfig } from '../config/load.ts';
import { compileSnapshot } from '../compile-snapshot.ts';
import type { CallRecord } from '../exchange/ports.ts';
import type { ProtocolId } from '../ir/index.ts';
import { openModelLists } from '../model-lists.ts';
import { isSameOutcome, replay } from '../policy/kept-decision.ts';
import { loadOptions } from './load-options.ts';
import type { Messages } from './messages.ts';
import { requestMessagesIn } from './messages-requests.ts';
import type { Args } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';
import { findRequest, keptDecision, timeText, withRequests } from './requests.ts';
import { decisionText } from './decision-text.ts';

/** Says that a call was answered with what another had brought, and who had made that. Nothing differs: nothing is decided again. */
function explainAnswered(
  record: CallRecord,
  as: NonNullable<CallRecord['cache']>,
  args: Args,
  ports: CliPorts,
  messages: Messages,
  language: Language,
): number {
  const kept = keptDecision(record);
  const text = `${kept ? `${decisionText(kept, messages, language)}\n` : ''}${requestMessagesIn(language).answered[as]}`;
  ports.stdout.write(`${args.on.has('json') ? JSON.stringify({ request: record, kept }, undefined, 2) : text}\n`);
  return EXIT.done;
}

/** Says how a call was decided, and how it would be by the configuration here; the exit code says whether that differs. */
async function explainRecord(
  record: CallRecord,
  folder: string,
  args: Args,
  ports: CliPorts,
  messages: Messages,
  language: Language,
): Promise<number> {
  const say = requestMessagesIn(language);
  const { route, cache } = record;
  if (cache !== undefined) return explainAnswered(record, cache, args, ports, messages, language);
  const kept = keptDecision(record);
  if (!route || !kept) {
    ports.stderr.write(`${say.notDecided(record.id)}\n`);
    return EXIT.notFound;
  }
  const { config } = await loadConfig(loadOptions(args, ports));
  const snapshot = compileSnapshot(config, 1, openModelLists(folder).read());
  const now = replay(snapshot, { ...record, protocol: record.protocol as ProtocolId }, route);
  const isSame = isSameOutcome(now, route);
  if (args.on.has('json')) ports.stdout.write(`${JSON.stringify({ request: record, kept, now, same: isSame }, undefined, 2)}\n`);
  else {
    const first = `${say.decidedAt(timeText(record.at), record.revision, record.config)}\n${decisionText(kept, messages, language)}`;
    const second = isSame
      ? `${say.same(snapshot.fingerprint)}\n`
      : `${say.other(snapshot.fingerprint)}\n${decisionText(now, messages, language)}`;
    ports.stdout.write(`${first}\n${second}`);
  }
  return isSame ? EXIT.done : EXIT.differs;
}

/** `pailou route explain --request ID`: 0 where the configuration here decides as it was decided then, or nothing was, 6 where it does not. */
export const explainRequest = (id: string, args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> =>
  withRequests(args, ports, language, (view, folder) => {
    const record = findRequest(id, view, folder, ports, language);
    return record ? explainRecord(record, folder, args, ports, messages, language) : EXIT.notFound;
  });
