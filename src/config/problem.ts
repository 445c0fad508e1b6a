import { inLanguage, type Language, type Words } from './language.ts';

/** A place in a file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a configuration, or doubtful. Holds no secret: values of secret settings are never quoted. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** Stable, for programs: `unknown_key`, `alias_loop`. */
  readonly code: string;
  /** Absent where the trouble is in no file (an unreadable one, a variable). */
  readonly place?: Place;
  /** `providers.mine.timeouts.connect`; empty: the whole. */
  readonly path: string;
  readonly what: Words;
  readonly found?: Words;
  /** What would be right. */
  readonly right?: Words;
  readonly didYouMean?: string;
}

/** A problem without where it is. */
export type Trouble = Omit<Problem, 'place' | 'path'>;

const at = ({ place, path }: Problem): string =>
  [place ? `${place.file}:${place.line}:${place.column}` : '', path].filter((part) => part !== '').join(' ');

/** What would be right: a must, or advice. */
function rightPart(severity: Problem['severity'], right: string, language: Language): string {
  if (severity === 'error') return inLanguage([`Expected ${right}`, `应为${right}`], language);
  return inLanguage([`Better: ${right}`, `建议：${right.trim()}`], language);
}

/** One problem as a line for people. */
export function problemLine(problem: Problem, language: Language): string {
  const say = (words: Words): string => inLanguage(words, language);
  const parts = [say(problem.what)];
  if (problem.found) parts.push(say([`Found ${say(problem.found)}`, `实际为${say(problem.found)}`]));
  if (problem.right) parts.push(rightPart(problem.severity, say(problem.right), language));
  if (problem.didYouMean !== undefined) parts.push(say([`Did you mean '${problem.didYouMean}'?`, `是否想写“${problem.didYouMean}”？`]));
  const sentences = language === 'zh' ? parts.join('。') : parts.join('. ');
  const kind = problem.severity === 'error' ? say(['error', '错误']) : say(['warning', '警告']);
  const where = at(problem);
  return `${where === '' ? '' : `${where}: `}${kind}${language === 'zh' ? '：' : ': '}${sentences}`;
}

/** One problem for programs. */
export function problemJson(problem: Problem): Readonly<Record<string, unknown>> {
  const { severity, code, place, path, what, found, right, didYouMean } = problem;
  return {
    severity,
    code,
    ...place,
    path,
    message: what[0],
    ...(found ? { found: found[0] } : {}),
    ...(right ? { expected: right[0] } : {}),
    ...(didYouMean === undefined ? {} : { didYouMean }),
  };
}

/** A configuration that cannot be used; `problems` has all that was found, warnings included. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      problems
        .filter((one) => one.severity === 'error')
        .map((one) => problemLine(one, 'en'))
        .join('\n'),
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
