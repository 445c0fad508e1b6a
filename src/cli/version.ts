import { readFileSync } from 'node:fs';

/** The version in the package's own description, which lies as far above `src/cli` as above `dist/cli`. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return version;
}
