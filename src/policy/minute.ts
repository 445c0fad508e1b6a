/** What calls may take of any minute; absent: as much as comes. */
export interface MinuteLimits {
  /** Requests that are sent. */
  readonly rpm?: number;
  /** Tokens of questions and answers. */
  readonly tpm?: number;
}

/** The minutes of a key, or of a provider as a whole. */
export interface Minute extends MinuteLimits {
  /** Its name: of a provider, or one of its credentials. */
  readonly place: string;
  /** What it is called to whoever is refused. */
  readonly title: string;
}
