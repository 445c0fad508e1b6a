import { nearestNames } from '../policy/nearest.ts';
import type { ProviderSettings } from '../presets/preset.ts';
import { compileProvider } from '../presets/provider.ts';
import type { Words } from './language.ts';
import type { Trouble } from './problem.ts';
import { providerWords } from './provider-words.ts';
import { memberPath } from './tree.ts';

/** First segments of the gateway's own paths: a provider of that name could not be reached under `/{platform}/…`. */
export const RESERVED_NAMES: readonly string[] =
  'v1 v1beta v1beta1 v2 admin console metrics livez readyz api chat completions responses messages models embeddings rerank audio images videos moderations conversations media'.split(
    ' ',
  );

/** What is told of a path. */
export type Report = (path: string, trouble: Trouble, onKey?: boolean) => void;

const SETTINGS = new Set(['key', 'keys', 'baseUrl', 'protocols', 'region', 'settings', 'headers', 'rerank', 'health']);

function checkName(name: string, path: string, report: Report): void {
  const right: Words = ['letters, digits, - _ and . only, as it is part of paths', '仅含字母、数字、- _ 和 .，因为它是路径的一部分'];
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
    const what: Words = [`'${name}' cannot name a provider`, `“${name}”不能作为服务商名称`];
    report(path, { severity: 'error', code: 'provider_name', what, right }, true);
  } else if (RESERVED_NAMES.includes(name.toLowerCase())) {
    const what: Words = [
      `'${name}' cannot name a provider: it is part of the gateway’s own paths`,
      `“${name}”不能作为服务商名称：它是网关自身路径的一部分`,
    ];
    report(path, { severity: 'error', code: 'reserved_name', what, right: ['another name', '其他名称'] }, true);
  }
}

/** The setting that a message about a provider speaks of: the first that it quotes. */
function settingIn(message: string): string | undefined {
  for (const [, word] of message.matchAll(/'(\w+)(?:\.[\w-]+)?'/g)) if (word !== undefined && SETTINGS.has(word)) return word;
  return undefined;
}

/** Checks names, and that a provider can be made of each. */
export function checkProviders(providers: Readonly<Record<string, ProviderSettings>>, report: Report): void {
  for (const [name, settings] of Object.entries(providers)) {
    const path = memberPath('providers', name);
    checkName(name, path, report);
    try {
      compileProvider(name, settings, () => ({}));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const setting = settingIn(message);
      const asked = setting === 'protocols' ? /does not speak '([^']*)'/.exec(message)?.[1] : undefined;
      const near = asked === undefined ? undefined : nearestNames(asked, message.split('It speaks: ')[1]?.split(', ') ?? [], 1)[0];
      report(setting === undefined ? path : memberPath(path, setting), {
        severity: 'error',
        code: 'provider',
        what: providerWords(message),
        ...(near === undefined ? {} : { didYouMean: near }),
      });
    }
  }
}
