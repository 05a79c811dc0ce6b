// WHIP and WHEP as a client of its own would do them: nothing is shared with the gateway's page.
import {wall} from './stamp.js';

/** Posts an offer and applies the answer; `times` notes when. */
export async function negotiate(pc, options, times) {
  const session = new Session(pc, options);
  const offer = await pc.createOffer();
  pc.onicecandidate = ({candidate}) => options.trickle && candidate && session.trickle(candidate);
  await pc.setLocalDescription(offer);
  if (!options.trickle) await gathered(pc);
  times.post = wall();
  await session.open(times);
  return session;
}

function gathered(pc) {
  return new Promise(resolve => {
    const check = () => pc.iceGatheringState === 'complete' && resolve();
    pc.onicegatheringstatechange = check;
    check();
    setTimeout(resolve, 1_500);
  });
}

class Session {
  constructor(pc, options) {
    Object.assign(this, {pc, options, url: null, etag: null, answer: '', patches: []});
    this.waiting = [];
  }

  headers(more) {
    const {token} = this.options;
    return {...(token ? {Authorization: `Bearer ${token}`} : {}), ...more};
  }

  async open(times) {
    const {pc, options} = this;
    const response = await fetch(options.url, {
      method: 'POST', headers: this.headers({'Content-Type': 'application/sdp'}),
      body: pc.localDescription.sdp,
    });
    this.answer = await response.text();
    times.answer = wall();
    this.status = response.status;
    if (response.status !== 201) {
      throw new Error(`HTTP ${response.status}: ${this.answer.slice(0, 300)}`);
    }
    const location = response.headers.get('Location');
    if (!location) throw new Error('no Location, or it is not exposed');
    this.url = new URL(location, response.url).href;
    this.etag = response.headers.get('ETag');
    this.links = response.headers.get('Link') ?? '';
    await pc.setRemoteDescription({type: 'answer', sdp: this.chosen(this.answer)});
    for (const candidate of this.waiting.splice(0)) this.trickle(candidate);
  }

  /** The answer with the candidates of one protocol alone, or with that of a NAT between us. */
  chosen(sdp) {
    const {only, port} = this.options;
    const isOther = line => only && line.split(' ')[2].toLowerCase() !== only;
    const lines = sdp.split('\r\n').filter(line => !line.startsWith('a=candidate'));
    const candidates = port ? [`a=candidate:1 1 udp 2130706431 127.0.0.1 ${port} typ host`]
      : sdp.split('\r\n').filter(line => line.startsWith('a=candidate') && !isOther(line));
    lines.splice(lines.findIndex(line => line.startsWith('a=mid:')) + 1, 0, ...candidates);
    return lines.join('\r\n');
  }

  async patch(body, etag) {
    const response = await fetch(this.url, {
      method: 'PATCH', body,
      headers: this.headers({'Content-Type': 'application/trickle-ice-sdpfrag',
        ...(etag ? {'If-Match': etag} : {})}),
    });
    this.patches.push(response.status);
    return response;
  }

  async trickle(candidate) {
    if (!this.url) return this.waiting.push(candidate);
    const line = name => this.pc.localDescription.sdp.match(new RegExp(`a=${name}:.*`))[0].trim();
    const media = this.pc.localDescription.sdp.match(/m=.*/)[0].trim();
    await this.patch(`${line('ice-ufrag')}\r\n${line('ice-pwd')}\r\n${media}\r\n`
      + `a=mid:${candidate.sdpMid ?? 0}\r\na=${candidate.candidate}\r\n`, this.etag);
  }

  /** RFC 9725 §4.3.3: new credentials both ways; the media must go on. */
  async restart() {
    const {pc} = this;
    const offer = await pc.createOffer({iceRestart: true});
    await pc.setLocalDescription(offer);
    const line = (sdp, name) => sdp.match(new RegExp(`a=${name}:.*`))?.[0].trim();
    const sdp = pc.localDescription.sdp;
    const response = await this.patch(
      `${line(sdp, 'ice-ufrag')}\r\n${line(sdp, 'ice-pwd')}\r\n`, '*');
    const fragment = await response.text();
    const report = {status: response.status, etag: response.headers.get('ETag'),
      wasETag: this.etag};
    if (response.status !== 200) return {...report, body: fragment.slice(0, 300)};
    const candidates = (fragment.match(/^a=candidate:.*/gm) ?? []).map(each => each.trim());
    const lines = this.answer.split('\r\n').filter(each => !each.startsWith('a=candidate'))
      .map(each => (each.startsWith('a=ice-ufrag:') ? line(fragment, 'ice-ufrag') : each))
      .map(each => (each.startsWith('a=ice-pwd:') ? line(fragment, 'ice-pwd') : each));
    lines.splice(lines.findIndex(each => each.startsWith('a=mid:')) + 1, 0, ...candidates);
    await pc.setRemoteDescription({type: 'answer', sdp: this.chosen(lines.join('\r\n'))});
    return report;
  }

  /** Another stream by `source`, or another layer by the link that the answer had. */
  async change({source, layer}) {
    const link = this.links.match(/<([^>]*)>; *rel="urn:ietf:params:whep:ext:core:layer"/)?.[1];
    const place = source ? `${this.url}/source` : new URL(link ?? 'none', this.url);
    const response = await fetch(place, {
      method: 'POST', headers: this.headers({'Content-Type': 'application/json'}),
      body: JSON.stringify(source ? {name: source} : {mediaId: '1', rid: layer}),
    });
    return {status: response.status, text: await response.text()};
  }

  async close() {
    if (!this.url) return null;
    const response = await fetch(this.url, {method: 'DELETE', headers: this.headers()});
    return response.status;
  }

  report() {
    return {status: this.status, url: this.url, etag: this.etag, patches: this.patches,
      ...(this.options.sdp ? {offer: this.pc.localDescription?.sdp, answer: this.answer} : {})};
  }
}

/** A stream to ourselves, without anybody between: what this machine freezes by itself. */
export async function direct(stream) {
  const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
  from.onicecandidate = ({candidate}) => to.addIceCandidate(candidate);
  to.onicecandidate = ({candidate}) => from.addIceCandidate(candidate);
  to.ontrack = ({track}) => {
    const video = document.createElement('video');
    video.muted = true;
    video.srcObject = new MediaStream([track]);
    document.body.append(video);
    video.play().catch(() => {});
  };
  from.addTrack(stream.getVideoTracks()[0], stream);
  await from.setLocalDescription();
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription();
  await from.setRemoteDescription(to.localDescription);
  return to;
}

export function watchState(pc, times) {
  pc.onconnectionstatechange = () => {
    times[pc.connectionState] ??= wall();
  };
}

/** Offers one codec alone, with its repair formats. */
export function offerOnly(transceiver, capabilities, name) {
  if (!name) return;
  const isIt = codec => codec.mimeType.toLowerCase() === `video/${name.toLowerCase()}`;
  if (!capabilities.codecs.some(isIt)) throw new Error(`this browser has no ${name}`);
  transceiver.setCodecPreferences(capabilities.codecs
    .filter(codec => isIt(codec) || /rtx|red|ulpfec/i.test(codec.mimeType)));
}

/** A data channel that asks for echoes ten times a second. */
export function echoChannel(pc) {
  const channel = pc.createDataChannel('echo');
  const log = {state: 'new', sent: 0, echoed: 0, trips: []};
  let timer = 0;
  channel.onopen = () => {
    log.state = 'open';
    timer = setInterval(() => {
      if (channel.readyState !== 'open') return;
      channel.send(JSON.stringify({number: log.sent++, at: wall()}));
    }, 100);
  };
  channel.onmessage = ({data}) => {
    log.echoed++;
    log.trips.push(wall() - JSON.parse(data).at);
  };
  channel.onclose = () => {
    log.state = 'closed';
    clearInterval(timer);
  };
  return {report: () => ({state: log.state, sent: log.sent, echoed: log.echoed,
    trip: log.trips.reduce((sum, trip) => sum + trip, 0) / log.trips.length || null})};
}
