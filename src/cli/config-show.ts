import { searchedFolders } from '../config/find-file.ts';
import { loadConfig } from '../config/load.ts';
import type { Source } from '../config/read-shape.ts';
import { listSettings } from '../config/settings-list.ts';
import { twoColumns } from './help.ts';
import { loadOptions } from './load-options.ts';
import type { Messages } from './messages.ts';
import type { Args } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';

function sourceText({ kind, place, from }: Source, messages: Messages): string {
  if (kind === 'default') return messages.sourceDefault;
  if (kind === 'flag') return from.join(', ');
  if (kind === 'environment') return `${messages.sourceFound}: ${from.join(', ')}`;
  const where = place ? `${place.file}:${place.line}:${place.column}` : '';
  return from.length === 0 ? where : `${from.join(', ')} (${where})`;
}

/** `pailou config show [--resolved]`: each setting with its value and where it comes from. */
export async function configShowCommand(args: Args, ports: CliPorts, messages: Messages): Promise<number> {
  const options = loadOptions(args, ports);
  const loaded = await loadConfig(options);
  const settings = listSettings(loaded, args.on.has('resolved'));
  if (args.on.has('json')) {
    const rows = settings.map(({ path, value, source: { kind, place, from } }) => ({ path, value, source: kind, from, ...place }));
    ports.stdout.write(`${JSON.stringify({ file: loaded.file ?? null, settings: rows }, undefined, 2)}\n`);
    return EXIT.done;
  }
  const rows = settings.map(({ path, value, source }): [string, string] => [`${path}: ${value}`, `# ${sourceText(source, messages)}`]);
  if (rows.length === 0) ports.stderr.write(`${messages.nothingSet(searchedFolders(options).join(messages.comma))}\n`);
  else ports.stdout.write(`${twoColumns(rows).replaceAll(/^ {2}/gm, '')}\n`);
  return EXIT.done;
}
