import type { LoadOptions } from '../config/load.ts';
import type { Args } from './parse-args.ts';
import type { CliPorts } from './ports.ts';

/** Where a command's configuration is looked for, and what its flags say over it. */
export function loadOptions({ values, port }: Args, { env, cwd, home }: CliPorts): LoadOptions {
  const overrides = { ...(values.host === undefined ? {} : { host: values.host }), ...(port === undefined ? {} : { port }) };
  return { env, cwd, home, overrides, ...(values.config === undefined ? {} : { path: values.config }) };
}
