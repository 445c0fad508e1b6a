// What a family of endpoints is, and the pieces that the files of families are made of.
import type { ProviderSettings } from '../../src/presets/preset.ts';

/** What a client sends. */
export interface Asked {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

/** A request that came to an upstream. */
export interface Came {
  readonly path: string;
  readonly body: string;
  /** Of the upstream itself, for answers that name places. */
  readonly origin: string;
}

/** A whole answer. */
export interface Answered {
  readonly type: string;
  readonly body: string | Buffer;
}

/** An endpoint, and the good answer of an upstream in pieces. */
export interface Family {
  readonly name: string;
  /** The provider that serves it, by its name. */
  readonly provider: string;
  readonly settings: (url: string) => ProviderSettings;
  /** `mark` is somewhere in what the upstream is asked: in its path or its body. */
  ask(mark: string): Asked;
  readonly type: string;
  readonly pieces: readonly (string | Buffer)[];
  /** The upstream's answer is a stream of events. */
  readonly isStream: boolean;
  /** How its client gets it, where that is not how the upstream gives it: bytes as they come, one JSON text, or events. */
  readonly seen?: 'bytes' | 'text' | 'events';
  /** In the path that the upstream is asked at, where its last word is another's as well. */
  readonly below?: string;
  /** What is asked of the provider, where clients do not name it. */
  readonly model?: string;
  /** Other providers that have a part in it. */
  readonly others?: (url: string) => Readonly<Record<string, ProviderSettings>>;
  /**
   * What a well upstream answers to the other requests that one call makes, before the one that the family is about or after it;
   * `undefined`: it is none of them.
   */
  readonly beside?: (came: Came) => Answered | undefined;
  /**
   * `once`: something is made each time that it is asked for, so it is sent once, whatever happens. `kept`: that too, and what is made is
   * kept for its client, also when that leaves. `after`: what was ordered is waited for, where it was ordered; asking again does no harm.
   */
  readonly makes?: 'once' | 'kept' | 'after';
  /** Its client has been told something before: who refuses it then breaks an answer that has begun. */
  readonly isLate?: true;
  /** A file that an answer named: whatever is wrong with that is the upstream's, and no mistake of the client's. */
  readonly isFile?: true;
}

export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

/** A second of silence. */
export const wav = (): Buffer => {
  const header = Buffer.from('UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=', 'base64');
  header.writeUInt32LE(16_000, 40);
  header.writeUInt32LE(16_036, 4);
  return Buffer.concat([header, Buffer.alloc(16_000)]);
};

const BOUNDARY = 'a-line-that-is-in-no-part';

type FormPart = readonly [name: string, value: string | Buffer, file?: string, type?: string];

function formOf(parts: readonly FormPart[]): Buffer {
  const written = parts.flatMap(([name, value, file, type]) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}\r\n` +
        `${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...written, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

export const jsonAsked = (path: string, body: unknown): Asked => ({
  path,
  type: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
});
export const formAsked = (path: string, parts: readonly FormPart[]): Asked => ({
  path,
  type: `multipart/form-data; boundary=${BOUNDARY}`,
  body: formOf(parts),
});

/** Bytes in two pieces, so that there is a middle. */
export const halvesOf = (bytes: Buffer): readonly Buffer[] => {
  const middle = Math.floor(bytes.length / 2);
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
};

/** A body in two pieces. */
export const halves = (value: unknown): readonly string[] => {
  const text = JSON.stringify(value);
  const middle = Math.floor(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
};

/** Who serves a family. */
export type At = Pick<Family, 'provider' | 'settings' | 'below'>;

/** A family whose upstream answers with one JSON text. */
export const whole = (name: string, reply: unknown, ask: (mark: string) => Asked, at: At): Family => ({
  name,
  ...at,
  ask,
  type: 'application/json',
  pieces: halves(reply),
  isStream: false,
});

/** A provider below a path of its own at the upstream, so that what it is asked is told from what others are. */
export const placed = (provider: string, settings: Omit<ProviderSettings, 'baseUrl' | 'key'>): At => ({
  provider,
  settings: (url) => ({ ...settings, baseUrl: `${url}/${provider}`, key: 'up-secret' }) as ProviderSettings,
  below: `/${provider}/`,
});
