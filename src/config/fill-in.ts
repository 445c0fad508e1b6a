import type { Words } from './language.ts';
import type { Trouble } from './problem.ts';
import { isSecretOrigin } from './secret-origin.ts';

/** Where `${…}` gets its values from. */
export interface FillPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; `undefined` when there is none that can be read. */
  readonly readFile: (path: string) => string | undefined;
}

/** Text with its `${…}` filled in. */
export interface Filled {
  readonly text: string;
  /** Where parts of it came from, for people: `env OPENAI_API_KEY`. Empty: it is as it was written. */
  readonly from: readonly string[];
  /** Pieces that came from where secrets are. */
  readonly hidden: readonly string[];
  readonly troubles: readonly Trouble[];
}

const FORMS: Words = ['${env:NAME}, ${env:NAME:-default} or ${file:/path}', ' ${env:NAME}、${env:NAME:-默认值} 或 ${file:/路径}'];

const error = (code: string, what: Words, right: Words = FORMS): Trouble => ({ severity: 'error', code, what, right });

interface Piece {
  readonly text: string;
  readonly from?: string;
  readonly trouble?: Trouble;
}

function fromEnv(rest: string, ports: FillPorts): Piece {
  const [, name = '', , fallback] = /^([^:]*)(:-([\s\S]*))?$/.exec(rest) ?? [];
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    return { text: '', trouble: error('bad_reference', [`'\${env:${rest}}' names no variable`, `“\${env:${rest}}”没有指明环境变量`]) };
  }
  const value = ports.env[name];
  if (value !== undefined && (value !== '' || fallback === undefined)) return { text: value, from: `env ${name}` };
  if (fallback !== undefined) return { text: fallback, from: `default of env ${name}` };
  const what: Words = [`The variable ${name} is not set`, `环境变量 ${name} 未设置`];
  return {
    text: '',
    trouble: error('variable_unset', what, [
      `a variable that is set, or a default: \${env:${name}:-…}`,
      `已设置的变量，或默认值：\${env:${name}:-…}`,
    ]),
  };
}

function fromFile(path: string, ports: FillPorts): Piece {
  const text = path === '' ? undefined : ports.readFile(path);
  // Editors and `echo` end a file with a line break that belongs to no secret.
  if (text !== undefined) return { text: text.replace(/\r?\n$/, ''), from: `file ${path}` };
  const what: Words = [`The file '${path}' cannot be read`, `无法读取文件“${path}”`];
  return { text: '', trouble: error('file_unreadable', what, ['a file that is there and may be read', '存在且可读的文件']) };
}

function pieceOf(inside: string, ports: FillPorts): Piece {
  if (inside.startsWith('env:')) return fromEnv(inside.slice(4), ports);
  if (inside.startsWith('file:')) return fromFile(inside.slice(5), ports);
  const what: Words = [`'\${${inside}}' is not understood`, `无法识别“\${${inside}}”`];
  const meant = /^[A-Za-z_]\w*$/.test(inside) ? { didYouMean: `\${env:${inside}}` } : {};
  return { text: '', trouble: { ...error('bad_reference', what), ...meant } };
}

/** Fills in `${env:X}`, `${env:X:-default}` and `${file:…}`; `$${` stands for `${` itself. What is wrong is told, and left empty. */
export function fillIn(text: string, ports: FillPorts): Filled {
  const from: string[] = [];
  const hidden: string[] = [];
  const troubles: Trouble[] = [];
  let filled = '';
  let rest = text;
  for (let start = rest.indexOf('${'); start >= 0; start = rest.indexOf('${')) {
    if (rest[start - 1] === '$') {
      filled += `${rest.slice(0, start - 1)}\${`;
      rest = rest.slice(start + 2);
      continue;
    }
    const end = rest.indexOf('}', start);
    if (end < 0) {
      troubles.push(error('bad_reference', ["A '${' without its '}'", '“${”缺少“}”']));
      break;
    }
    const piece = pieceOf(rest.slice(start + 2, end), ports);
    filled += rest.slice(0, start) + piece.text;
    rest = rest.slice(end + 1);
    if (piece.from !== undefined) from.push(piece.from);
    if (piece.from !== undefined && isSecretOrigin(piece.from)) hidden.push(piece.text);
    if (piece.trouble) troubles.push(piece.trouble);
  }
  return { text: filled + rest, from, hidden, troubles };
}
