// A WHIP publisher without any page: `new Publisher('/whip/live/cam1', stream).start()`.
import {Endpoint} from './endpoint.js';

/** What this browser can encode, by name, best carried first. */
export function codecs() {
  const known = ['H264', 'VP8', 'VP9', 'AV1', 'H265'];
  const able = new Set((window.RTCRtpSender?.getCapabilities?.('video')?.codecs ?? [])
    .map(codec => codec.mimeType.slice(6).toUpperCase()));
  return known.filter(name => able.has(name));
}

/**
 * Publishes a MediaStream.
 *
 * Options: `token`, `codec` (a name of `codecs()`), `bitrate` (bit/s, 0: the browser decides),
 * `simulcast` (three layers), `channels` (labels of data channels to open; `channel` events).
 */
export class Publisher extends Endpoint {
  #stream;
  #options;

  constructor(url, stream, {token = '', codec = '', bitrate = 0, simulcast = false,
    channels = []} = {}) {
    super(url, {token});
    this.#stream = stream;
    this.#options = {codec, bitrate, simulcast, channels};
  }

  async prepare(pc) {
    const {codec, channels} = this.#options;
    for (const track of this.#stream.getTracks()) {
      const transceiver = pc.addTransceiver(track, {
        direction: 'sendonly',
        streams: [this.#stream],
        sendEncodings: track.kind === 'video' ? this.#encodings() : [{}],
      });
      if (track.kind === 'video' && codec) prefer(transceiver, codec);
    }
    for (const label of channels) {
      const channel = pc.createDataChannel(label);
      this.dispatchEvent(new CustomEvent('channel', {detail: channel}));
    }
  }

  #encodings() {
    const {bitrate, simulcast} = this.#options;
    const limit = share => (bitrate ? {maxBitrate: Math.round(bitrate * share)} : {});
    if (!simulcast) return [limit(1)];
    return [
      {rid: 'q', scaleResolutionDownBy: 4, ...limit(0.08)},
      {rid: 'h', scaleResolutionDownBy: 2, ...limit(0.25)},
      {rid: 'f', ...limit(0.67)},
    ];
  }

  /** Changes the limit while it runs. */
  async limit(bitrate) {
    this.#options.bitrate = bitrate;
    const sender = this.#sender('video');
    if (!sender) return;
    const parameters = sender.getParameters();
    const wanted = this.#encodings();
    parameters.encodings.forEach((encoding, index) => {
      delete encoding.maxBitrate;
      if (wanted[index]?.maxBitrate) encoding.maxBitrate = wanted[index].maxBitrate;
    });
    await sender.setParameters(parameters);
  }

  /** Another camera or microphone, without a new session. */
  async replace(track) {
    for (const old of this.#stream.getTracks().filter(other => other.kind === track.kind)) {
      this.#stream.removeTrack(old);
      old.stop();
    }
    this.#stream.addTrack(track);
    await this.#sender(track.kind)?.replaceTrack(track);
  }

  #sender(kind) {
    return this.pc?.getTransceivers()
      .find(transceiver => transceiver.receiver.track.kind === kind)?.sender;
  }

  /** Somebody else's name stays theirs; only our own lost session is worth another try. */
  isLasting(problem) {
    return super.isLasting(problem) || problem.code === 'stream-taken';
  }
}

/** The codec first, and the others behind it: a server that cannot take it may choose. */
function prefer(transceiver, name) {
  const all = RTCRtpSender.getCapabilities('video').codecs;
  const isIt = codec => codec.mimeType.toUpperCase() === `VIDEO/${name}`;
  try {
    transceiver.setCodecPreferences([...all.filter(isIt), ...all.filter(codec => !isIt(codec))]);
  } catch { /* Firefox refuses the list of sending abilities in some versions */ }
}
