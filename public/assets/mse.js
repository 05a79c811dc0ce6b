// Plays fragmented MP4 that comes over WebSocket: for browsers whose network has no way for WebRTC.
//
// The first message is text, {"type": "mse", "value": MIME type}; then come the init segment and one
// fragment for every frame. Another such text means other tracks: a new buffer is opened.

const Source = window.ManagedMediaSource ?? window.MediaSource;

/** Behind the newest picture: as much as frames may come unevenly. */
const wanted = 0.3;
/** Further behind than this it jumps, for nobody watches the past. */
const patience = 2;
/** What is kept for whoever drags the line back. */
const kept = 20;

export const isPossible = Source !== undefined;

/** Resolves when the stream has ended, and throws when it cannot be played. */
export async function play(video, url, {token = '', signal}) {
  const place = new URL(url);
  place.protocol = place.protocol.replace('http', 'ws');
  if (token) place.searchParams.set('token', token);
  const socket = new WebSocket(place);
  socket.binaryType = 'arraybuffer';
  const feeder = new Feeder(video);
  const stop = () => socket.close();
  signal?.addEventListener('abort', stop);
  try {
    await new Promise((resolve, reject) => {
      feeder.failed = reject;
      let hasBegun = false;
      socket.onmessage = ({data}) => {
        hasBegun = true;
        if (typeof data === 'string') feeder.open(JSON.parse(data).value);
        else feeder.add(data);
      };
      socket.onclose = () => {
        if (hasBegun || signal?.aborted) resolve();
        else refusal(url, token).then(reject, reject);
      };
    });
  } finally {
    signal?.removeEventListener('abort', stop);
    socket.close();
    feeder.close();
  }
}

/** A WebSocket does not tell why it was refused: a request of the same URL does. */
async function refusal(url, token) {
  const headers = token ? {Authorization: `Bearer ${token}`} : {};
  const answer = await fetch(url, {method: 'HEAD', headers, cache: 'no-store'});
  return new Error(answer.ok ? 'nothing came' : `HTTP ${answer.status}`);
}

/** Fills a buffer in order, one piece at a time, and keeps the player near its end. */
class Feeder {
  failed = () => {};
  #video;
  #buffer = null;
  #queue = [];

  constructor(video) {
    this.#video = video;
    // Safari opens a managed source only then.
    video.disableRemotePlayback = true;
  }

  open(type) {
    if (!Source.isTypeSupported(type)) {
      this.failed(new Error(`this browser does not play ${type}`));
      return;
    }
    this.close();
    const media = new Source();
    media.addEventListener('sourceopen', () => {
      this.#buffer = media.addSourceBuffer(type);
      this.#buffer.mode = 'segments';
      this.#buffer.addEventListener('updateend', () => this.#next());
      this.#next();
    }, {once: true});
    this.#video.srcObject = null;
    this.#video.src = URL.createObjectURL(media);
  }

  add(bytes) {
    this.#queue.push(bytes);
    this.#next();
  }

  close() {
    this.#queue = [];
    this.#buffer = null;
    if (this.#video.src.startsWith('blob:')) {
      URL.revokeObjectURL(this.#video.src);
      this.#video.removeAttribute('src');
      this.#video.load();
    }
  }

  #next() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating) return;
    try {
      this.#follow(buffer);
      if (!buffer.updating && this.#queue.length) buffer.appendBuffer(joined(this.#queue.splice(0)));
    } catch (error) {
      this.failed(this.#video.error ? new Error(this.#video.error.message) : error);
    }
  }

  /** Near the newest picture; what lies far behind is given back. */
  #follow(buffer) {
    const [video, ranges] = [this.#video, buffer.buffered];
    if (!ranges.length) return;
    const [first, last, end] = [ranges.start(0), ranges.start(ranges.length - 1),
      ranges.end(ranges.length - 1)];
    const behind = end - video.currentTime;
    if (behind > patience || behind < 0) video.currentTime = Math.max(last, end - wanted);
    // Behind a gap it would wait for what never comes.
    else if (video.currentTime < last && !isInside(ranges, video.currentTime)) {
      video.currentTime = last;
    }
    video.playbackRate = behind > 2 * wanted ? 1.1 : behind > 1.3 * wanted ? 1.03 : 1;
    if (video.paused && video.autoplay) video.play().catch(() => {});
    if (video.currentTime - first > 2 * kept) buffer.remove(first, video.currentTime - kept);
  }
}

function isInside(ranges, time) {
  for (let index = 0; index < ranges.length; index++) {
    if (ranges.start(index) <= time && time < ranges.end(index)) return true;
  }
  return false;
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(new Uint8Array(piece), at);
    at += piece.byteLength;
  }
  return whole;
}
