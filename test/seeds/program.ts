import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What came back, as bytes. */
export interface Answered {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Sends by curl, with these arguments after the address. */
export async function byCurl(url: string, ...args: readonly string[]): Promise<Answered> {
  const { stdout } = await run('curl', ['-sS', '-w', '\n%{http_code} %{content_type}', url, ...args], {
    maxBuffer: 2 ** 26,
    encoding: 'buffer',
  });
  const end = stdout.lastIndexOf('\n');
  const [status = '', ...contentType] = stdout.toString('utf8', end + 1).split(' ');
  return { status: Number(status), contentType: contentType.join(' '), body: stdout.subarray(0, end) };
}

/** Whether curl is there; without it its examples are skips by name. */
export const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);
