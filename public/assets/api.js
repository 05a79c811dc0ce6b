// The JSON API of the gateway, and its problems.
import {has, t} from './i18n.js';

/** Why something was refused: RFC 9457 with a code and what to do about it. */
export class Problem extends Error {
  constructor({status = 0, code = 'unreachable', title = '', detail = '', fix = '', retryAfter}) {
    super(detail || title || code);
    Object.assign(this, {status, code, title, detail, fix, retryAfter});
  }

  /** The words of a code in the language of the page, else the server's own. */
  words(part) {
    const key = `${part}.${this.code}`;
    return has(key) ? t(key) : this[part] || (part === 'title' ? this.code : '');
  }

  /** What a response that is not a success says, whatever form it has. */
  static async of(response) {
    const retryAfter = seconds(response.headers.get('Retry-After'));
    let body = {};
    try {
      const text = await response.text();
      if (text.startsWith('{')) body = JSON.parse(text);
      else body = {detail: text.slice(0, 300)};
    } catch { /* the status alone must do */ }
    return new Problem({
      status: response.status,
      code: body.code ?? `http-${response.status}`,
      title: body.title ?? `HTTP ${response.status}`,
      detail: body.detail ?? body.error,
      fix: body.fix,
      retryAfter,
    });
  }

  /** An exception of the browser, in the same form. */
  static from(error) {
    if (error instanceof Problem) return error;
    const network = error instanceof TypeError || error?.name === 'TimeoutError';
    return new Problem({
      code: network ? 'unreachable' : error?.name ?? 'error',
      title: network ? '' : error?.name,
      detail: network ? '' : String(error?.message ?? error),
    });
  }
}

/** `Retry-After` in seconds or as a date, bounded. */
function seconds(value) {
  if (!value) return undefined;
  const number = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(number) ? Math.min(60, Math.max(0.5, number)) : undefined;
}

const place = 'key';

/** What the visitor typed in, for this tab: any key that lets watch. */
export const storedKey = {
  get: () => sessionStorage.getItem(place) ?? '',
  set: key => sessionStorage.setItem(place, key),
  forget: () => sessionStorage.removeItem(place),
};

async function get(path) {
  const token = storedKey.get();
  const response = await fetch(path, {
    headers: token ? {Authorization: `Bearer ${token}`} : {},
    cache: 'no-store',
    signal: AbortSignal.timeout(8000),
  });
  if (!response.ok) throw await Problem.of(response);
  return response.json();
}

export const info = () => get('/api/v1/info');

/** All streams, page by page; a thousand are enough for a page that people read. */
export async function streams() {
  const items = [];
  for (let page = 1; page <= 10; page++) {
    const answer = await get(`/api/v1/streams?page=${page}&itemsPerPage=100`);
    items.push(...(answer.items ?? []));
    if (page >= (answer.pageCount ?? 1)) break;
  }
  return items;
}
