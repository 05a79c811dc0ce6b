// What the player's and the publisher's page share: the stream's name, its state, its tiles.
import {el, find, milliseconds, nameInPath, openPage, problemBox, say, sparkline, streamOfPath,
  tell} from './ui.js';

export const name = streamOfPath();
export const path = nameInPath(name);
let countdown = 0;

/** Fills in what both pages say of their stream; `page` is the other one, `key` its name. */
export function openSession(page, key) {
  openPage(say('all-streams'),
    el('a', {class: 'button plain', href: `/${page}/${path}`}, say(key)));
  document.title = `${name} · gateway`;
  find('#title').textContent = name;
}

/** How a state looks; what is not here looks like nothing special. */
const marks = {connected: 'good', publishing: 'good', failed: 'bad', waiting: 'warn', again: 'warn',
  interrupted: 'warn', fallbackOn: 'good'};

export function showState(key, values) {
  find('#state').className = `badge ${marks[key] ?? ''}`;
  tell(find('#state'), key, values);
}

/** A new state: what was said of the one before is over. */
export function forget() {
  clearInterval(countdown);
  find('#trouble').replaceChildren();
}

export function showProblem(problem) {
  find('#trouble').replaceChildren(problemBox(problem));
}

/** Over the picture: what went wrong, and when it is tried again. */
export function countDown(problem, retryIn) {
  const until = performance.now() + retryIn;
  const renew = () => tell(find('#told'), 'retrying', {
    title: problem.words('title').replace(/[.。]$/, ''),
    seconds: Math.max(0, Math.ceil((until - performance.now()) / 1000)),
  });
  renew();
  countdown = setInterval(renew, 500);
}

// ---- statistics ----

export function put(id, text) {
  find(id).textContent = text;
}

/** What is measured now of a connected endpoint, else nothing. */
export async function measured(meter, endpoint) {
  if (endpoint?.state !== 'connected' || !endpoint.pc) return null;
  try {
    return await meter.read(endpoint.pc);
  } catch {
    return null;  // closed meanwhile
  }
}

export function showCodecs(video, audio) {
  put('#codecs', [video?.codec, audio?.codec].filter(Boolean).join(' + ') || '–');
}

export function showSize(picture) {
  put('#resolution', picture.width ? `${picture.width}×${picture.height}` : '–');
  put('#resolution-how', Number.isFinite(picture.fps) ? `${picture.fps.toFixed(0)} fps` : '');
}

export function showPath(way, rtt) {
  put('#rtt', milliseconds(rtt));
  put('#path', way?.protocol || '–');
  put('#path-how', way?.address ?? '');
}

/** The last minute of one figure. */
export class Trace {
  #values = [];

  constructor(canvas, colour) {
    Object.assign(this, {canvas, colour});
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > 60) this.#values.shift();
    sparkline(find(this.canvas), this.#values, this.colour);
  }

  clear() {
    this.#values.length = 0;
  }
}
