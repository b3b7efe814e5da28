/** What may be shown of an artifact inside the page. */

/** How an artifact is previewed. */
export type Preview = 'image' | 'text' | 'none';

const IMAGE = /\.(png|jpe?g)$/i;
const TEXT =
  /\.(txt|log|json|ya?ml|csv|tsv|md|py|toml|cfg|ini)$|(^|\/)(MLmodel|MLproject)$/i;
/** More than this is for downloading. */
const MOST_BYTES = 4_000_000;
const MOST_TEXT = 20_000;

/** Judged by name and size. SVG and HTML are never shown: they can hold scripts. */
export function previewOf(path: string, size: number | undefined): Preview {
  if ((size ?? 0) > MOST_BYTES) {
    return 'none';
  }
  return IMAGE.test(path) ? 'image' : TEXT.test(path) ? 'text' : 'none';
}

/** The type of an image by its first bytes: a name proves nothing. Null for anything else. */
export function imageType(bytes: ArrayBuffer): 'image/png' | 'image/jpeg' | null {
  const head = new Uint8Array(bytes.slice(0, 4));
  if (head[0] === 0x89 && head[1] === 0x50 && head[2] === 0x4e && head[3] === 0x47) {
    return 'image/png';
  }
  return head[0] === 0xff && head[1] === 0xd8 ? 'image/jpeg' : null;
}

/** The beginning of a text. */
export function textOf(bytes: ArrayBuffer): string {
  const text = new TextDecoder().decode(bytes.slice(0, MOST_TEXT));
  return bytes.byteLength > MOST_TEXT ? `${text}\n…` : text;
}

/** A notebook's path below the root of the server; null if it lies elsewhere. */
export function pathBelow(root: string, path: string): string | null {
  if (!path || path.split('/').includes('..')) {
    return null;
  }
  if (!path.startsWith('/') && !/^[A-Za-z]:/.test(path)) {
    return path;
  }
  const base = root.endsWith('/') ? root : `${root}/`;
  return root && path.startsWith(base) ? path.slice(base.length) : null;
}
