import { COMMON_FLAGS, type CommandName, commands, type FlagName, flags } from './commands.ts';
import type { Messages } from './messages.ts';

/** Columns: Chinese characters take two. */
const width = (text: string): number =>
  [...text].reduce((sum, char) => sum + (/[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/.test(char) ? 2 : 1), 0);

/** Rows of two columns, the first as wide as its widest. */
export function twoColumns(rows: readonly (readonly [string, string])[]): string {
  const left = Math.max(...rows.map(([first]) => width(first)));
  return rows.map(([first, second]) => `  ${first}${' '.repeat(left - width(first) + 2)}${second}`.trimEnd()).join('\n');
}

/** Rows of any number of columns, each as wide as its widest; the last one's end is left as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => width(row[at] ?? ''))));
  const line = (row: readonly string[]): string => row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

function flagRow(name: FlagName, messages: Messages): readonly [string, string] {
  const { value, short, about } = flags[name];
  return [`${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`, messages[about]];
}

/** What `pailou help` prints: all commands, or one with its flags. */
export function helpText(command: CommandName | undefined, messages: Messages): string {
  const rows = Object.entries(commands).map(([name, { words, about }]): [string, string] => [
    words === undefined ? name : `${name} ${words}`,
    messages[about],
  ]);
  const common = `${messages.everywhere}${messages.colon}\n${twoColumns(COMMON_FLAGS.map((name) => flagRow(name, messages)))}`;
  if (command === undefined) {
    const serve = `${messages.flags} (serve)${messages.colon}\n${twoColumns(commands.serve.flags.map((name) => flagRow(name, messages)))}`;
    return `${messages.usage}\n\n${messages.commands}${messages.colon}\n${twoColumns(rows)}\n\n${serve}\n\n${common}\n`;
  }
  const { words, about, flags: own } = commands[command];
  const head = `pailou ${command}${words === undefined ? '' : ` ${words}`}\n  ${messages[about]}`;
  const flagTable =
    own.length === 0 ? '' : `\n${messages.flags}${messages.colon}\n${twoColumns(own.map((name) => flagRow(name, messages)))}\n`;
  return `${head}\n${flagTable}\n${common}\n`;
}
