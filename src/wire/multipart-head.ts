/** What the head of a part says. */
export interface PartHead {
  /** As the client wrote it; absent where there is none, or where the part is no form data. */
  readonly name?: string;
  /** Without the folders that it was in. */
  readonly filename?: string;
  /** In lower case, without parameters. */
  readonly mediaType?: string;
  readonly charset?: string;
}

/** The words of a header: its value, and what its parameters say, the first of each name. */
interface Worded {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** A name, and what is behind it: quoted, with `\"` and `\\` inside, or bare. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.6 */
const PARAMETER = /;[ \t]*([^\s=;"]{1,100})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[^])*)"|([^;]*))/g;

/** Only these two are written with a backslash: a path of Windows has others that mean themselves. */
const unquoted = (text: string): string => text.replaceAll(/\\(["\\])/g, '$1');

function worded(header: string): Worded {
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, bare = ''] of header.matchAll(PARAMETER)) {
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted === undefined ? bare.trim() : unquoted(quoted));
  }
  const [value = ''] = header.split(';', 1);
  return { value: value.trim().toLowerCase(), parameters };
}

/** What separates the parts of a body, by its `Content-Type`; at most 70 characters by RFC 2046, and twice as many by us. */
export function boundaryOf(contentType: string): string | undefined {
  const boundary = worded(contentType).parameters.get('boundary');
  return boundary === undefined || boundary === '' || boundary.length > 140 ? undefined : boundary;
}

function decoderOf(charset: string): InstanceType<typeof TextDecoder> | undefined {
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined;
  }
}

/** Text in the charset that is said, or in UTF-8 where nobody knows that one. */
export function textIn(bytes: Buffer, charset = 'utf-8'): string {
  return /^utf-?8$/i.test(charset) ? bytes.toString('utf8') : (decoderOf(charset) ?? new TextDecoder()).decode(bytes);
}

/** `UTF-8''%e2%82%ac`. https://www.rfc-editor.org/rfc/rfc8187#section-3.2 */
function extended(value: string | undefined): string | undefined {
  const [, charset = '', escaped] = /^([\w.:+-]{1,40})'[^']*'(.*)$/.exec(value ?? '') ?? [];
  if (escaped === undefined || !decoderOf(charset)) return undefined;
  const bytes = escaped.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return textIn(Buffer.from(bytes, 'latin1'), charset);
}

function baseName(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return name === '.' || name === '..' ? '' : name;
}

/**
 * Reads the head of a part, its lines in UTF-8 as browsers and SDKs write them. `undefined`: it is none, a line has no name or a bare
 * line break in it. https://www.rfc-editor.org/rfc/rfc7578#section-4.2
 */
export function readPartHead(text: string): PartHead | undefined {
  const lines = text === '' ? [] : text.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1 || /[\r\n]/.test(line)) return undefined;
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const { value, parameters } = worded(headers.get('content-disposition') ?? '');
  const type = worded(headers.get('content-type') ?? '');
  const name = value === 'form-data' ? parameters.get('name') : undefined;
  const filename = extended(parameters.get('filename*')) ?? parameters.get('filename');
  const charset = type.parameters.get('charset');
  return {
    ...(name === undefined ? {} : { name }),
    ...(filename === undefined ? {} : { filename: baseName(filename) }),
    ...(type.value === '' ? {} : { mediaType: type.value }),
    ...(charset === undefined ? {} : { charset }),
  };
}
