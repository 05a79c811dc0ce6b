// getStats into what people ask: how fast, how late, what was lost, what froze and why.

const ofType = (all, type, kind) =>
  all.filter(entry => entry.type === type && (!kind || entry.kind === kind));

/** Reads a connection once a second and keeps the differences. */
export class Meter {
  #before = new Map();
  #entries = new Map();
  #seconds = 0;
  #at = 0;

  async read(pc) {
    const report = await pc.getStats();
    const now = performance.now();
    this.#before = this.#entries;
    this.#entries = new Map([...report.values()].map(entry => [entry.id, entry]));
    this.#seconds = this.#at ? (now - this.#at) / 1000 : 0;
    this.#at = now;
    const all = [...this.#entries.values()];
    return {
      video: ofType(all, 'inbound-rtp', 'video').map(entry => this.#inVideo(entry))[0],
      audio: ofType(all, 'inbound-rtp', 'audio').map(entry => this.#inbound(entry))[0],
      sent: ofType(all, 'outbound-rtp').map(entry => this.#outbound(entry)),
      path: this.#path(all),
    };
  }

  #since(entry, key) {
    const before = this.#before.get(entry.id);
    return before ? (entry[key] ?? 0) - (before[key] ?? 0) : NaN;
  }

  #rate(entry, key) {
    return this.#since(entry, key) / this.#seconds;
  }

  /** Milliseconds of delay for each of what passed in the last second. */
  #delay(entry, sum, count) {
    const passed = this.#since(entry, count);
    return passed > 0 ? 1000 * this.#since(entry, sum) / passed : NaN;
  }

  #codec(entry) {
    const name = this.#entries.get(entry.codecId)?.mimeType?.split('/')[1] ?? '';
    return {H264: 'H.264', H265: 'H.265', opus: 'Opus', PCMU: 'G.711 µ-law', PCMA: 'G.711 A-law'}[
      name] ?? name;
  }

  #inbound(entry) {
    const lost = this.#since(entry, 'packetsLost');
    const received = this.#since(entry, 'packetsReceived');
    return {
      codec: this.#codec(entry),
      bitrate: 8 * this.#rate(entry, 'bytesReceived'),
      packets: received,
      lost,
      lostInAll: entry.packetsLost ?? 0,
      loss: received + lost > 0 ? 100 * Math.max(0, lost) / (received + lost) : NaN,
      jitter: 1000 * entry.jitter,
      buffer: this.#delay(entry, 'jitterBufferDelay', 'jitterBufferEmittedCount'),
      concealed: 100 * this.#since(entry, 'concealedSamples')
        / this.#since(entry, 'totalSamplesReceived'),
    };
  }

  #inVideo(entry) {
    return {
      ...this.#inbound(entry),
      width: entry.frameWidth,
      height: entry.frameHeight,
      fps: this.#rate(entry, 'framesDecoded'),
      frames: entry.framesDecoded ?? 0,
      decode: this.#delay(entry, 'totalDecodeTime', 'framesDecoded'),
      dropped: this.#since(entry, 'framesDropped'),
      freezes: entry.freezeCount ?? NaN,
      frozen: entry.totalFreezesDuration ?? NaN,
      keyRequests: this.#since(entry, 'pliCount') + (this.#since(entry, 'firCount') || 0),
      repairs: this.#since(entry, 'nackCount'),
    };
  }

  #outbound(entry) {
    const remote = this.#entries.get(entry.remoteId) ?? {};
    return {
      kind: entry.kind,
      rid: entry.rid ?? '',
      codec: this.#codec(entry),
      isActive: entry.active !== false,
      bitrate: 8 * this.#rate(entry, 'bytesSent'),
      width: entry.frameWidth,
      height: entry.frameHeight,
      fps: this.#rate(entry, 'framesEncoded'),
      encode: this.#delay(entry, 'totalEncodeTime', 'framesEncoded'),
      limited: entry.qualityLimitationReason ?? 'none',
      loss: 100 * (remote.fractionLost ?? NaN),
      rtt: 1000 * (remote.roundTripTime ?? NaN),
      keyRequests: entry.pliCount ?? 0,
      repeated: this.#since(entry, 'retransmittedPacketsSent'),
    };
  }

  #path(all) {
    const chosen = ofType(all, 'transport')[0]?.selectedCandidatePairId;
    const pair = this.#entries.get(chosen)
      ?? ofType(all, 'candidate-pair')
        .find(entry => entry.nominated && entry.state === 'succeeded');
    if (!pair) return null;
    const [local, remote] = [pair.localCandidateId, pair.remoteCandidateId]
      .map(id => this.#entries.get(id) ?? {});
    return {
      protocol: (remote.protocol ?? local.protocol ?? '').toUpperCase(),
      address: remote.address ? `${remote.address}:${remote.port}` : '',
      rtt: 1000 * pair.currentRoundTripTime,
      available: pair.availableOutgoingBitrate,
    };
  }
}

/** How late pictures are, from what the browser knows of each one it shows. */
export class LatencyMeter {
  #samples = [];
  #isOpen = true;

  constructor(video) {
    if (!video.requestVideoFrameCallback) return;
    const each = (_now, frame) => {
      if (!this.#isOpen) return;
      this.#samples.push({
        whole: frame.expectedDisplayTime - frame.captureTime,  // NaN where it is not known
        here: frame.expectedDisplayTime - frame.receiveTime,
      });
      if (this.#samples.length > 240) this.#samples.shift();
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  }

  close() {
    this.#isOpen = false;
  }

  /**
   * The median since the last call, in ms. `isEstimate`: the way from the camera to the gateway is
   * not in it, and half a round trip stands for the way from the gateway to here.
   */
  take(rtt, fallback) {
    const samples = this.#samples.splice(0);
    const whole = median(samples.map(sample => sample.whole).filter(plausible));
    if (Number.isFinite(whole)) return {value: whole, isEstimate: false};
    const here = median(samples.map(sample => sample.here).filter(plausible));
    const local = Number.isFinite(here) ? here : fallback;
    return {value: local + (Number.isFinite(rtt) ? rtt / 2 : 0), isEstimate: true};
  }
}

const plausible = value => value > 0 && value < 60_000;

function median(values) {
  if (!values.length) return NaN;
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** Why pictures stood still in the last second: the key of its words. */
export function freezeReason(video) {
  if (video.packets === 0) return 'freezeSilence';
  if (video.lost > 0 && video.keyRequests > 0) return 'freezeKey';
  if (video.lost > 0) return 'freezeLoss';
  if (video.keyRequests > 0) return 'freezeKey';
  if (video.dropped > 2) return 'freezeDevice';
  return video.jitter > 40 ? 'freezeJitter' : 'freezeLate';
}
