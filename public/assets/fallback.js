// Playing without WebRTC: fragmented MP4 by WebSocket through Media Source, HLS where the browser
// plays it.

/** What this browser can play of what the gateway gives out, best first. */
export function ways(outputs = []) {
  const able = {
    fmp4: 'MediaSource' in window || 'ManagedMediaSource' in window,
    hls: document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '',
  };
  return ['fmp4', 'hls'].filter(kind => able[kind])
    .map(kind => outputs.find(output => output.kind === kind)).filter(Boolean);
}

/** Plays one of `ways`; resolves when it has ended and throws when it cannot. */
export async function play(video, way, name, {token = '', signal}) {
  const url = new URL(way.path.replace('{name}', name), location.origin);
  if (token) url.searchParams.set('token', token);  // neither way can send a header
  if (way.kind === 'fmp4') return playFragments(video, url, signal);
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
  if (video.src.startsWith('blob:')) URL.revokeObjectURL(video.src);
  video.removeAttribute('src');
  video.load();
}

async function playFragments(video, url, signal) {
  const media = new (window.ManagedMediaSource ?? window.MediaSource)();
  video.disableRemotePlayback = true;  // Safari opens a managed source only then
  video.srcObject = null;
  video.src = URL.createObjectURL(media);
  await event(media, 'sourceopen', signal);
  let head = new Uint8Array(0);
  let buffer = null;
  try {
    for await (const value of messages(url, signal)) {
      let bytes = value;
      if (!buffer) {
        head = joined(head, value);
        const codecs = codecsOf(head);
        if (!codecs) continue;
        buffer = media.addSourceBuffer(`video/mp4; codecs="${codecs}"`);
        bytes = head;
      }
      await append(buffer, bytes, signal);
      await stayLive(video, buffer, signal);
      if (video.paused) video.play().catch(() => {});
    }
  } finally {
    leave(video);
  }
}

/** What comes by WebSocket: no proxy on the way waits for the end of it, as some do with HTTP. */
async function* messages(url, signal) {
  const socket = new WebSocket(url.href.replace(/^http/, 'ws'));
  socket.binaryType = 'arraybuffer';
  const waiting = [];
  let wake = () => {};
  let isOpen = false;
  let isOver = false;
  const end = () => {
    isOver = true;
    wake();
  };
  socket.onopen = () => {
    isOpen = true;
  };
  socket.onmessage = ({data}) => {
    // Whoever is a hundred fragments behind plays nothing any more: once more from now.
    if (waiting.push(new Uint8Array(data)) > 100) end();
    wake();
  };
  socket.onclose = end;
  signal.addEventListener('abort', end, {once: true});
  try {
    while (!isOver) {
      if (waiting.length) yield waiting.shift();
      else await new Promise(resolve => (wake = resolve));
    }
    if (!isOpen && !signal.aborted) throw new TypeError('the WebSocket was refused');
  } finally {
    socket.close();
  }
}

async function append(buffer, bytes, signal) {
  buffer.appendBuffer(bytes);
  await event(buffer, 'updateend', signal);
}

/** Half a second behind the newest picture, and half a minute kept. */
async function stayLive(video, buffer, signal) {
  const {buffered} = buffer;
  if (!buffered.length) return;
  const end = buffered.end(buffered.length - 1);
  const behind = end - video.currentTime;
  if (behind > 3 || behind < 0) video.currentTime = Math.max(buffered.start(0), end - 0.3);
  video.playbackRate = behind > 0.8 && behind <= 3 ? 1.05 : 1;
  if (end - buffered.start(0) > 60) {
    buffer.remove(buffered.start(0), end - 30);
    await event(buffer, 'updateend', signal);
  }
}

function event(target, name, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DOMException('stopped', 'AbortError'));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, {once: true});
    target.addEventListener(name, () => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, {once: true});
  });
}

function joined(one, other) {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** RFC 6381 names of the tracks, from the configuration boxes of a whole `moov`. */
function codecsOf(bytes) {
  const at = new TextDecoder('latin1').decode(bytes).indexOf('moov') - 4;
  if (at < 0) return null;
  const size = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
  if (bytes.length < at + size) return null;
  const moov = bytes.subarray(at, at + size);
  const boxes = new TextDecoder('latin1').decode(moov);
  const names = {hvcC: 'hvc1.1.6.L120.90', av1C: 'av01.0.08M.08', vpcC: 'vp09.00.41.08',
    mp4a: 'mp4a.40.2', Opus: 'opus'};
  const found = Object.keys(names).filter(box => boxes.includes(box)).map(box => names[box]);
  const avc = boxes.indexOf('avcC');
  if (avc > 0) {
    const profile = [...moov.subarray(avc + 5, avc + 8)];
    found.unshift(`avc1.${profile.map(byte => byte.toString(16).padStart(2, '0')).join('')}`);
  }
  return found.length ? found.join(',') : null;
}
