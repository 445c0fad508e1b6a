/*
 * Ids of tool calls as clients of this dialect get them: `^[a-zA-Z0-9_-]+$`, since a client may take its conversation to the
 * API itself, byte by byte, which refuses others (Kimi's `functions.Bash:0`). An id that does not fit is written in
 * base64url and read back when it returns, so that its maker sees its own again; no state is kept.
 */

const FITS = /^[a-zA-Z0-9_-]+$/;
const MARK = 'toolu_p64_';

/** The id for a client. */
export const clientToolId = (id: string): string => (FITS.test(id) ? id : MARK + Buffer.from(id).toString('base64url'));

/** The id that a client brings back, as its maker wrote it. */
export function makersToolId(id: string): string {
  if (!id.startsWith(MARK)) return id;
  const made = Buffer.from(id.slice(MARK.length), 'base64url').toString();
  return clientToolId(made) === id ? made : id;
}
