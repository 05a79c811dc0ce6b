// getStats as a report of one connection.

const pick = (entry, keys) =>
  Object.fromEntries(keys.filter(key => entry[key] !== undefined).map(key => [key, entry[key]]));
const rounded = value => (Number.isFinite(value) ? Math.round(value * 100) / 100 : null);

const common = ['packetsReceived', 'packetsLost', 'bytesReceived', 'jitter', 'nackCount',
  'retransmittedPacketsReceived'];
const pictures = ['framesReceived', 'framesDecoded', 'keyFramesDecoded', 'framesDropped',
  'jitterBufferDelay', 'jitterBufferEmittedCount',
  'frameWidth', 'frameHeight', 'freezeCount', 'totalFreezesDuration', 'pliCount', 'firCount'];
const sounds = ['totalSamplesReceived', 'concealedSamples', 'concealmentEvents',
  'totalAudioEnergy'];
const sendings = ['active', 'packetsSent', 'bytesSent', 'targetBitrate', 'framesEncoded',
  'keyFramesEncoded', 'frameWidth', 'frameHeight', 'nackCount', 'pliCount', 'firCount',
  'retransmittedPacketsSent', 'qualityLimitationReason'];

export async function statistics(pc) {
  return new Map([...(await pc.getStats()).values()].map(entry => [entry.id, entry]));
}

const codecOf = (all, entry) => all.get(entry.codecId)?.mimeType ?? null;

export function inbound(all, kind) {
  const found = [...all.values()]
    .filter(entry => entry.type === 'inbound-rtp' && entry.kind === kind);
  const entry = found.find(one => one.packetsReceived > 0) ?? found[0];
  if (!entry) return null;
  const held = entry.jitterBufferEmittedCount;
  return {codec: codecOf(all, entry), ...pick(entry, common),
    ...pick(entry, kind === 'video' ? pictures : sounds),
    buffer_ms: held ? rounded(1000 * entry.jitterBufferDelay / held) : null};
}

export function outbound(all) {
  return [...all.values()].filter(entry => entry.type === 'outbound-rtp').map(entry => {
    const remote = all.get(entry.remoteId);
    return {kind: entry.kind, rid: entry.rid, codec: codecOf(all, entry),
      ...pick(entry, sendings), remote: remote ? {rtt_ms: rounded(1000 * remote.roundTripTime),
        fractionLost: remote.fractionLost, packetsLost: remote.packetsLost} : null};
  });
}

export function transport(all) {
  const entries = [...all.values()];
  const own = entries.find(entry => entry.type === 'transport');
  const pair = all.get(own?.selectedCandidatePairId)
    ?? entries.find(entry => entry.type === 'candidate-pair' && entry.nominated);
  if (!pair) return null;
  const remote = all.get(pair.remoteCandidateId) ?? {};
  return {remote: `${remote.address}:${remote.port}/${remote.protocol}`,
    rtt_ms: rounded(1000 * pair.currentRoundTripTime), dtls: own?.dtlsCipher,
    srtp: own?.srtpCipher};
}
