/** As far as it is read here. */
export interface PackageFile {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly license?: unknown;
}

/** As far as it is read here: https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
export interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly resolved?: string; readonly dev?: boolean; readonly hasInstallScript?: boolean }>
  >;
}

const GROUPS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/** Versions that another day brings another package for. */
export const loosePins = (file: PackageFile): readonly string[] =>
  GROUPS.flatMap((group) =>
    Object.entries(file[group] ?? {})
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${group}: ${name} is '${version}': pin one exact version`),
  );

/** Name of the package that an import leads to. */
const packageOf = (from: string): string =>
  from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');

/** Packages that ship and that nothing imports, and imports that do not ship. */
export function unusedAndMissing(file: PackageFile, imported: readonly string[]): readonly string[] {
  const used = new Set(imported.filter((from) => !from.startsWith('.') && !from.startsWith('node:')).map(packageOf));
  const shipped = Object.keys(file.dependencies ?? {});
  return [
    ...shipped.filter((name) => !used.has(name)).map((name) => `dependencies: nothing in src imports ${name}: remove it`),
    ...[...used].filter((name) => !shipped.includes(name)).map((name) => `src imports ${name}, which is not among the dependencies`),
  ];
}

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

/** Packages that run something when they are installed. */
export const installScripts = (packages: Readonly<Record<string, PackageFile>>): readonly string[] =>
  Object.entries(packages).flatMap(([name, { scripts = {} }]) =>
    INSTALL_SCRIPTS.filter((script) => script in scripts).map((script) => `${name} has a script '${script}': find another package`),
  );

/** What a lockfile must not hold: addresses of a registry that others cannot reach; scripts that run when what ships is installed. */
export const lockTroubles = ({ packages }: LockFile): readonly string[] =>
  Object.entries(packages).flatMap(([path, { resolved, dev, hasInstallScript }]) => [
    ...(resolved === undefined
      ? []
      : [`package-lock.json: ${path} names an address (${resolved}): .npmrc has omit-lockfile-registry-resolved`]),
    ...(hasInstallScript && !dev ? [`package-lock.json: ${path} has an install script`] : []),
  ]);

/** Versions that differ between the package's description and its lockfile. */
export const unlocked = (file: PackageFile, { packages }: LockFile): readonly string[] =>
  GROUPS.flatMap((group) => Object.entries(file[group] ?? {})).flatMap(([name, version]) => {
    const locked = packages[`node_modules/${name}`]?.version;
    return locked === version ? [] : [`package-lock.json has ${name} ${locked ?? '(not at all)'}, package.json ${version}`];
  });
