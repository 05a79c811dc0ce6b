// A WHEP player without any page: `new Player(video, '/whep/live/cam1').start()`.
import {Control} from './control.js';
import {Endpoint} from './endpoint.js';

const extension = 'urn:ietf:params:whep:ext:core:';
const wanted = ['active', 'inactive', 'layers', 'viewercount', 'reconnect'];
const captureTime = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';
const stuckLimit = 5_000;
const silenceLimit = 10_000;

/**
 * Plays a stream in a `<video>` element.
 *
 * Events besides those of `Endpoint`: `channel` (an RTCDataChannel, when `channels` names it) and
 * `notice` (`detail` is `{event, data}` of the server's events).
 */
export class Player extends Endpoint {
  #video;
  #channels;
  #control = null;
  #events = null;
  #layerURL = null;
  #watch = null;
  isActive = true;

  constructor(video, url, {token = '', channels = []} = {}) {
    super(url, {token});
    this.#video = video;
    this.#channels = channels;
  }

  /** Labels of data channels to open; takes effect with the next connection. */
  set channels(labels) {
    this.#channels = labels;
  }

  async prepare(pc) {
    const stream = new MediaStream();
    pc.addTransceiver('audio', {direction: 'recvonly'});
    offerCaptureTime(pc.addTransceiver('video', {direction: 'recvonly'}));
    pc.ontrack = ({track}) => {
      stream.addTrack(track);
      if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
      this.#video.play().catch(() => {});  // the page has a button for that
    };
    this.#control = this.#channels.length
      ? new Control(pc, (event, data) => this.#noticed(event, data)) : null;
    this.#control?.onOpen(() => this.#events?.close());
    for (const label of this.#channels) {
      const channel = pc.createDataChannel(label);
      this.dispatchEvent(new CustomEvent('channel', {detail: channel}));
    }
  }

  /** Opus is mono for browsers unless the receiver asks. */
  adjust(sdp) {
    const type = sdp.match(/^a=rtpmap:(\d+) opus\/48000/im)?.[1];
    if (!type) return sdp;
    return sdp.replace(new RegExp(`^a=fmtp:${type} (?!.*stereo=1).*`, 'm'),
      line => `${line.trimEnd()};stereo=1`);
  }

  opened(links) {
    this.isActive = true;
    this.#layerURL = links[`${extension}layer`] ?? null;
    const events = links[`${extension}server-sent-events`];
    if (events) this.#listen(events, this.pc);
    this.#watch = setInterval(watchdog(this), 1_000);
  }

  closed() {
    clearInterval(this.#watch);
    this.#events?.close();
    this.#events = null;
  }

  async #listen(url, pc) {
    try {
      const response = await fetch(url, {
        method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify(wanted),
      });
      const place = response.headers.get('Location');
      if (!response.ok || !place || pc !== this.pc || this.#control?.isOpen) return;
      const events = this.#events = new EventSource(new URL(place, url));
      for (const event of wanted) {
        events.addEventListener(event, ({data}) => this.#noticed(event, parsed(data)));
      }
    } catch { /* it plays without */ }
  }

  #noticed(event, data) {
    if (event === 'active' || event === 'inactive') this.isActive = event === 'active';
    this.dispatchEvent(new CustomEvent('notice', {detail: {event, data}}));
    if (event === 'reconnect') this.reconnect();
  }

  get canSelectLayer() {
    return this.#layerURL !== null;
  }

  /** A simulcast layer by its rid; none: the gateway chooses. */
  async selectLayer(mediaId, rid) {
    if (this.#control?.isOpen) return this.#control.wish({layer: rid ? {rid} : {}});
    const response = await fetch(this.#layerURL, {
      method: 'POST', headers: {'Content-Type': 'application/json'},
      body: JSON.stringify(rid ? {mediaId, rid} : {}),
    });
    return response.ok;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch { return {}; }  // some events carry nothing
}

/** Lets the browser tell how old a picture is; not all can, and playing does not need it. */
function offerCaptureTime(transceiver) {
  if (!transceiver.getHeaderExtensionsToNegotiate) return;
  try {
    const all = transceiver.getHeaderExtensionsToNegotiate();
    for (const one of all) if (one.uri === captureTime) one.direction = 'sendrecv';
    transceiver.setHeaderExtensionsToNegotiate(all);
  } catch { /* as before */ }
}

/** Connects anew when pictures stop although they arrive, or when nothing arrives at all. */
function watchdog(player) {
  let [packets, frames] = [0, 0];
  let packetsAt = performance.now();
  let framesAt = packetsAt;
  return async () => {
    const {pc} = player;
    if (!pc || player.state !== 'connected') return;
    const now = performance.now();
    let [seen, shown] = [0, 0];
    for (const entry of (await pc.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue;
      seen += entry.packetsReceived ?? 0;
      if (entry.kind === 'video') shown += entry.framesDecoded ?? 0;
    }
    if (pc !== player.pc) return;
    if (seen !== packets) [packets, packetsAt] = [seen, now];
    if (shown !== frames || !shown || document.hidden) [frames, framesAt] = [shown, now];
    const isStuck = now - framesAt > stuckLimit && now - packetsAt < 1_500;
    const isSilent = now - packetsAt > silenceLimit && packets > 0 && player.isActive;
    if (isStuck || isSilent) player.reconnect();
  };
}
