// What WHIP (RFC 9725) and WHEP share: offer, trickle, ICE restart, retries, goodbye.
import {Problem} from './api.js';

/** Statuses that another try does not change. */
const lasting = new Set([400, 401, 403, 405, 406, 413, 415, 422]);
const connectLimit = 12_000;
const restartLimit = 6_000;
const blip = 3_000;

/**
 * A session with the gateway that connects again by itself.
 *
 * `state` events: `connecting`, `connected`, `interrupted`, `restarting` (a new path for the same
 * session), `waiting` (with `problem` and `retryIn` in ms), `failed` (with `problem`; for good),
 * `stopped`.
 */
export class Endpoint extends EventTarget {
  pc = null;
  state = 'stopped';
  #url;
  #token;
  #round = 0;           // work of an earlier round finds that it is late
  #failures = 0;
  #hasConnected = false;
  #session = null;      // URL of the session
  #etag = null;
  #answer = '';
  #candidates = [];
  #timers = new Map();
  #window = new AbortController();

  constructor(url, {token = ''} = {}) {
    super();
    this.#url = url;
    this.#token = token;
  }

  set token(token) {
    this.#token = token;
  }

  /** Subclasses: adds tracks and channels. */
  async prepare(_pc) {}
  /** Subclasses: the last word on the offer. */
  adjust(sdp) {
    return sdp;
  }
  /** Subclasses: the session stands; `links` are the `Link` headers by relation. */
  opened(_links) {}
  closed() {}
  isLasting(problem) {
    return lasting.has(problem.status);
  }

  start() {
    this.#failures = 0;
    this.#hasConnected = false;
    this.#watchWindow();
    return this.#connect();
  }

  /** The page is left, comes back from the browser's cache, or has a network again. */
  #watchWindow() {
    this.#window.abort();
    this.#window = new AbortController();
    const options = {signal: this.#window.signal};
    window.addEventListener('pagehide', () => this.#leave(), options);
    window.addEventListener('pageshow', event => event.persisted && this.start(), options);
    window.addEventListener('online', () => {
      if (this.state === 'waiting') this.start();
      else if (this.state === 'interrupted') this.#restart();
    }, options);
  }

  stop() {
    this.#round++;
    this.#window.abort();
    this.#leave();
    this.#enter('stopped');
  }

  /** Once more from the beginning, at once. */
  reconnect() {
    if (this.state === 'stopped' || this.state === 'failed') return;
    this.#connect();
  }

  async #connect() {
    const round = ++this.#round;
    this.#leave();
    this.#enter('connecting');
    try {
      const pc = this.#openPeer(round);
      await this.prepare(pc);
      const offer = await pc.createOffer();
      await pc.setLocalDescription({type: 'offer', sdp: this.adjust(offer.sdp)});
      if (round !== this.#round) return;
      await this.#post(pc, round);
    } catch (error) {
      if (round === this.#round) this.#failed(Problem.from(error));
    }
  }

  #openPeer(round) {
    if (!window.RTCPeerConnection) throw new Problem({code: 'no-webrtc', status: 422});
    const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
    this.pc = pc;
    this.#candidates = [];
    pc.onicecandidate = event => {
      if (round !== this.#round) return;
      this.#candidates.push(event.candidate);
      this.#after('trickle', event.candidate ? 50 : 0, () => this.#trickle());
    };
    pc.onconnectionstatechange = () => {
      if (round === this.#round) this.#connectionChanged(pc);
    };
    this.#after('connect', connectLimit, () => this.#failed(new Problem({code: 'no-path'})));
    return pc;
  }

  async #post(pc, round) {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: this.#headers({'Content-Type': 'application/sdp'}),
      body: pc.localDescription.sdp,
      signal: AbortSignal.timeout(20_000),
    });
    if (response.status !== 201) throw await Problem.of(response);
    const place = response.headers.get('Location');
    const session = place ? new URL(place, response.url) : null;
    const answer = await response.text();
    if (round !== this.#round) {  // stopped meanwhile: the server must not keep it
      if (session) this.#delete(session);
      return;
    }
    this.#session = session;
    this.#etag = response.headers.get('ETag');
    this.#answer = answer;
    await pc.setRemoteDescription({type: 'answer', sdp: answer});
    if (round !== this.#round) return;
    this.#watchTransport(pc, round);
    this.opened(links(response));
    this.#trickle();
  }

  /** A server that ends a session says so by DTLS: browsers tell it only here. */
  #watchTransport(pc, round) {
    const transport = [...pc.getReceivers(), ...pc.getSenders()].find(x => x.transport)?.transport;
    if (!transport) return;
    transport.addEventListener('statechange', () => {
      if (round !== this.#round || transport.state !== 'closed') return;
      this.#failed(new Problem({code: 'session-ended'}));
    });
  }

  #connectionChanged(pc) {
    if (pc.connectionState === 'connected') {
      for (const timer of ['connect', 'blip', 'restart']) this.#cancel(timer);
      this.#failures = 0;
      this.#hasConnected = true;
      this.#enter('connected');
    } else if (pc.connectionState === 'disconnected') {
      this.#enter('interrupted');
      this.#after('blip', blip, () => this.#restart());
    } else if (pc.connectionState === 'failed') {
      if (this.#hasConnected && this.state !== 'restarting') this.#restart();
      else this.#failed(new Problem({code: 'no-path'}));
    }
  }

  /** A new path for the same session: the address has changed, or the path has died. */
  async #restart() {
    const [round, pc] = [this.#round, this.pc];
    this.#cancel('blip');
    if (!this.#session) return this.#connect();
    this.#enter('restarting');
    this.#after('restart', restartLimit, () => this.#connect());
    try {
      this.#candidates = [];
      const offer = await pc.createOffer({iceRestart: true});
      await pc.setLocalDescription({type: 'offer', sdp: this.adjust(offer.sdp)});
      const response = await this.#patch(fragment(pc.localDescription.sdp, []), '*');
      if (round !== this.#round) return;
      if (response.status !== 200) throw await Problem.of(response);
      this.#etag = response.headers.get('ETag') ?? this.#etag;
      this.#answer = withNewPath(this.#answer, await response.text());
      await pc.setRemoteDescription({type: 'answer', sdp: this.#answer});
      this.#trickle();
    } catch {
      if (round === this.#round) this.#connect();
    }
  }

  /** Candidates in batches. The gateway is ICE-lite and finds us by our checks: nothing waits. */
  async #trickle() {
    if (!this.#session || !this.#candidates.length || this.pc.signalingState !== 'stable') return;
    const batch = this.#candidates.splice(0);
    try {
      await this.#patch(fragment(this.pc.localDescription.sdp, batch), this.#etag);
    } catch { /* checks alone will do */ }
  }

  #patch(body, etag) {
    const headers = this.#headers({'Content-Type': 'application/trickle-ice-sdpfrag'});
    if (etag) headers['If-Match'] = etag;
    return fetch(this.#session, {
      method: 'PATCH', headers, body, signal: AbortSignal.timeout(8_000),
    });
  }

  #failed(problem) {
    this.#round++;
    this.#leave();
    if (this.isLasting(problem)) return this.#enter('failed', {problem});
    const pause = Math.min(8, 2 ** this.#failures++) * (0.8 + Math.random() * 0.4);
    const retryIn = 1000 * (problem.retryAfter ?? pause);
    this.#enter('waiting', {problem, retryIn});
    this.#after('retry', retryIn, () => this.#connect());
  }

  #leave() {
    for (const timer of this.#timers.keys()) this.#cancel(timer);
    this.closed();
    const {pc} = this;
    this.pc = null;
    // Closing says goodbye by DTLS: what is deleted after it is over already, and not found.
    if (this.#session) this.#delete(this.#session).then(() => pc?.close());
    else pc?.close();
    this.#session = this.#etag = null;
  }

  #delete(session) {
    return fetch(session, {
      method: 'DELETE', headers: this.#headers(), keepalive: true,
      signal: AbortSignal.timeout(2_000),
    }).catch(() => {});
  }

  #headers(more = {}) {
    return this.#token ? {Authorization: `Bearer ${this.#token}`, ...more} : more;
  }

  #enter(state, detail = {}) {
    if (this.state === state && state !== 'waiting') return;
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', {detail: {state, ...detail}}));
  }

  #after(name, delay, work) {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(work, delay));
  }

  #cancel(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** RFC 8840: the candidates of a description as a fragment; null is the end of them. */
function fragment(sdp, candidates) {
  const value = name => sdp.match(new RegExp(`^a=${name}:.*`, 'm'))?.[0].trim();
  const sections = sdp.split(/^(?=m=)/m).slice(1);
  const lines = [value('ice-ufrag'), value('ice-pwd')];
  const found = candidates.filter(candidate => candidate?.candidate);
  const ends = candidates.some(candidate => candidate === null);
  const mids = new Set(found.map(candidate => candidate.sdpMid));
  const mid = section => section.match(/^a=mid:(\S+)/m)?.[1];
  for (const section of sections) {
    const first = section === sections[0] && (!mids.size || ends);
    if (!mids.has(mid(section)) && !first) continue;
    lines.push(section.split(/\r?\n/, 1)[0], `a=mid:${mid(section)}`);
    for (const candidate of found) {
      if (candidate.sdpMid === mid(section)) lines.push(`a=${candidate.candidate}`);
    }
    if (ends && first) lines.push('a=end-of-candidates');
  }
  return `${lines.filter(Boolean).join('\r\n')}\r\n`;
}

/** The answer after an ICE restart: the old one with the fragment's credentials and candidates. */
function withNewPath(answer, frag) {
  const given = name => frag.match(new RegExp(`^a=${name}:.*`, 'm'))?.[0].trim();
  const candidates = frag.match(/^a=candidate:.*/gm)?.map(line => line.trim()) ?? [];
  const lines = answer.split(/\r?\n/)
    .filter(line => !/^a=(candidate:|end-of-candidates)/.test(line))
    .map(line => {
      if (line.startsWith('a=ice-ufrag:')) return given('ice-ufrag') ?? line;
      if (line.startsWith('a=ice-pwd:')) return given('ice-pwd') ?? line;
      return line;
    });
  const place = lines.findIndex(line => line.startsWith('a=mid:'));
  lines.splice(place + 1, 0, ...candidates);
  return lines.join('\r\n');
}

/** `Link` headers by relation, as absolute URLs. */
function links(response) {
  const found = {};
  const header = response.headers.get('Link') ?? '';
  for (const [, target, rest] of header.matchAll(/<([^>]*)>((?:[^,"]|"[^"]*")*)/g)) {
    const relation = rest.match(/rel="?([^";]+)"?/)?.[1];
    if (relation) found[relation] = new URL(target, response.url).href;
  }
  return found;
}
