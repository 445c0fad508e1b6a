import { join } from 'node:path';
import { compileSnapshot } from '../compile-snapshot.ts';
import { dataFolder } from '../config/data-folder.ts';
import type { Language } from '../config/language.ts';
import { loadConfig } from '../config/load.ts';
import { nearestNames } from '../policy/nearest.ts';
import { knownIds } from '../known-models.ts';
import { LISTS_FILE, openModelLists } from '../model-lists.ts';
import { syncModels } from '../sync-models.ts';
import { abilitiesText, amountText, isMarked, outputText, sourcesText } from './fact-words.ts';
import { columns } from './help.ts';
import { loadOptions } from './load-options.ts';
import type { Messages } from './messages.ts';
import { type ModelMessages, modelMessagesIn } from './messages-models.ts';
import { type ModelRow, modelRows } from './model-rows.ts';
import { type Args, UsageError } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';

const FORMATS = ['table', 'json', 'yaml', 'csv', 'markdown'] as const;
type Format = (typeof FORMATS)[number];

function formatOf({ values, on }: Args, messages: Messages): Format {
  const word = values.output;
  if (word === undefined) return on.has('json') ? 'json' : 'table';
  const known = FORMATS.find((one) => one === word);
  if (known) return known;
  throw new UsageError(messages.flagWord('--output', word, FORMATS.join(messages.comma), nearestNames(word, FORMATS, 1)[0]));
}

/** A row as text: name, target, context, prices, abilities, who says so. */
function cellsOf({ name, target, leadsTo, facts }: ModelRow, words: ModelMessages): readonly string[] {
  const to = target ?? leadsTo?.join(' ') ?? '-';
  if (!facts) return [name, to, '-', '-', '-', '-', '-'];
  const price = facts.price?.value;
  const context = facts.context ? String(facts.context.value) : '-';
  const [question, answer] = [amountText(price, 'input'), outputText(price, words)];
  return [name, to, context, question, answer, abilitiesText(facts), sourcesText(facts, words)];
}

/** Cells for spreadsheets: what is not known is empty, and nothing in a cell ends it. */
const csvLine = (cells: readonly string[]): string =>
  cells.map((cell) => (cell === '-' ? '' : /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');

const markdownLine = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function tableIn(format: Exclude<Format, 'json' | 'yaml'>, head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (format === 'table') return columns([head, ...rows]);
  if (format === 'csv') return [head, ...rows].map(csvLine).join('\r\n');
  return [markdownLine(head), markdownLine(head.map(() => '---')), ...rows.map(markdownLine)].join('\n');
}

/** What a command works on: the configuration, compiled with the lists of the data folder. */
async function openModels(args: Args, ports: CliPorts) {
  const { config } = await loadConfig(loadOptions(args, ports));
  const folder = dataFolder(args.values.data, ports.env, ports.cwd, ports.home);
  const file = openModelLists(folder);
  const lists = file.read();
  return { folder, file, lists, snapshot: compileSnapshot(config, 1, lists) };
}

/** `pailou models ls [NAMES]`: the names that clients may use, where they lead, what is known of them and who says so. Calls nobody. */
export async function modelsListCommand(args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> {
  const format = formatOf(args, messages);
  const { lists, snapshot } = await openModels(args, ports);
  const [names] = args.words;
  const rows = modelRows(snapshot, (provider) => knownIds(provider, lists), names);
  const words = modelMessagesIn(language);
  if (format === 'json') ports.stdout.write(`${JSON.stringify({ models: rows }, undefined, 2)}\n`);
  else if (format === 'yaml') ports.stdout.write((await import('yaml')).stringify({ models: rows }));
  else if (rows.length > 0) {
    const { name, target, context, input, output, abilities, source } = words;
    ports.stdout.write(
      `${tableIn(
        format,
        [name, target, context, input, output, abilities, source],
        rows.map((row) => cellsOf(row, words)),
      )}\n`,
    );
    if (!args.on.has('quiet') && rows.some(({ facts }) => isMarked(facts))) ports.stderr.write(`${words.marks}\n`);
  }
  if (rows.length > 0) return EXIT.done;
  ports.stderr.write(`${names === undefined ? words.noModels : words.noneLike(names)}\n`);
  return names === undefined ? EXIT.done : EXIT.notFound;
}

/** New and gone ids shown at most for each provider: the rest is in `--json`. */
const MAX_SHOWN = 20;

/** `pailou models sync [PROVIDER]`: asks providers for their own lists, and keeps them. 1 when one gave none. */
export async function modelsSyncCommand(args: Args, ports: CliPorts, language: Language): Promise<number> {
  const words = modelMessagesIn(language);
  const { folder, file, lists, snapshot } = await openModels(args, ports);
  const [only] = args.words;
  const able = [...snapshot.providers.values()].filter(({ preset }) => preset.models).map(({ name }) => name);
  if (only !== undefined && !able.includes(only)) throw new UsageError(words.noProvider(only, able.join(', ')));
  if (!ports.askList) {
    ports.stderr.write(`${words.cannotAsk}\n`);
    return EXIT.failed;
  }
  const synced = await syncModels(snapshot, lists, ports.askList, Date.now(), (name) => only === undefined || name === only);
  await file.write(synced.lists);
  if (args.on.has('json')) ports.stdout.write(`${JSON.stringify({ providers: synced.providers }, undefined, 2)}\n`);
  else {
    for (const { provider, ok, models, added, removed } of synced.providers) {
      const line = ok ? words.listed(provider, models, added.length, removed.length) : words.noList(provider, models);
      const changes = [...added.slice(0, MAX_SHOWN).map((id) => `  + ${id}`), ...removed.slice(0, MAX_SHOWN).map((id) => `  - ${id}`)];
      ports.stdout.write(`${[line, ...changes].join('\n')}\n`);
    }
    if (synced.providers.length === 0) ports.stderr.write(`${words.nobodyLists}\n`);
    else if (!args.on.has('quiet') && synced.providers.some(({ ok }) => ok))
      ports.stderr.write(`${words.keptIn(join(folder, LISTS_FILE))}\n`);
  }
  return synced.providers.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
}
