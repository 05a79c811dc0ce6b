// Playing without WebRTC: fragmented MP4 by WebSocket through Media Source, HLS where the browser
// plays it.
import {isPossible, play as playFragments} from './mse.js';

/** What this browser can play of what the gateway gives out, best first. */
export function ways(outputs = []) {
  const able = {
    fmp4: isPossible,
    hls: document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '',
  };
  return ['fmp4', 'hls'].filter(kind => able[kind])
    .map(kind => outputs.find(output => output.kind === kind)).filter(Boolean);
}

/** Plays one of `ways`; resolves when it has ended and throws when it cannot. */
export async function play(video, way, name, {token = '', signal}) {
  const url = new URL(way.path.replace('{name}', name), location.origin);
  if (way.kind === 'fmp4') return playFragments(video, url, {token, signal});
  if (token) url.searchParams.set('token', token);  // a player of the browser sends no header
  return playNatively(video, url, signal);
}

function playNatively(video, url, signal) {
  return new Promise((resolve, reject) => {
    video.srcObject = null;
    video.src = url.href;
    video.addEventListener('error', () => reject(new Error(video.error?.message ?? 'video')),
      {signal});
    video.addEventListener('ended', resolve, {signal});
    signal.addEventListener('abort', () => {
      leave(video);
      resolve();
    });
    video.play().catch(() => {});
  });
}

function leave(video) {
  video.removeAttribute('src');
  video.load();
}
