// Many joins, one after the other: how soon the first picture comes, and whether what follows runs
// at the pace of the source.
import {inbound, statistics} from './report.js';
import {negotiate} from './signalling.js';
import {wall, watchLatency} from './stamp.js';

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
/** A join may catch up for so long; from then on every picture is as old as the others. */
const catchUp = 600;
const tolerance = 80;

export async function joins(options) {
  const rounds = [];
  for (let round = 0; round < options.count; round++) {
    try {
      rounds.push(await join(options));
    } catch (error) {
      rounds.push({error: String(error)});
    }
    // So that joins fall anywhere between two key frames.
    await pause(100 + Math.random() * 900);
  }
  return {rounds};
}

async function join(options) {
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const video = document.querySelector('video');
  video.muted = true;
  pc.addTransceiver('video', {direction: 'recvonly'});
  pc.addTransceiver('audio', {direction: 'recvonly'});
  pc.ontrack = ({track}) => {
    if (track.kind !== 'video') return;
    video.srcObject = new MediaStream([track]);
    video.play().catch(() => {});
  };
  let first = null;
  const latency = watchLatency(video, () => {
    first ??= wall();
  });
  const times = {};
  const session = await negotiate(pc, options, times);
  const decoded = await firstDecoded(pc);
  await pause(Math.max(0, times.post + options.seconds * 1_000 - 1_000 - wall()));
  const before = inbound(await statistics(pc), 'video');
  await pause(1_000);
  const after = inbound(await statistics(pc), 'video');
  latency.stop();
  await session.close();
  pc.close();
  return {decoded_ms: decoded - times.post, shown_ms: first && first - times.post,
    answer_ms: times.answer - times.post, ...judged(latency.samples, times.post),
    buffer_ms: 1_000 * (after.jitterBufferDelay - before.jitterBufferDelay)
      / (after.jitterBufferEmittedCount - before.jitterBufferEmittedCount),
    freezes: after.freezeCount, dropped: after.framesDropped};
}

async function firstDecoded(pc) {
  for (let tries = 0; tries < 1_000; tries++) {
    if (inbound(await statistics(pc), 'video')?.framesDecoded > 0) return wall();
    await pause(5);
  }
  throw new Error('no picture in 5 s');
}

/** The median age of the pictures, and how many are not as old as the others. */
function judged(samples, post) {
  const later = samples.filter(one => one.at > post + catchUp).map(one => one.age);
  const median = [...later].sort((a, b) => a - b)[Math.floor(later.length / 2)];
  return {pictures: later.length, age_ms: median,
    outside: later.filter(age => Math.abs(age - median) > tolerance).length};
}
