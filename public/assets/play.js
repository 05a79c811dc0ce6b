// The player's page.
import {info as getInfo, Problem, storedKey} from './api.js';
import {ChannelPanel, labels} from './channel.js';
import {play as playFallback, ways} from './fallback.js';
import {t} from './i18n.js';
import {watchLines} from './lines.js';
import {countDown, forget, measured, name, openSession, path, put, showCodecs, showPath,
  showProblem, showSize, showState, Trace} from './session.js';
import {freezeReason, LatencyMeter, Meter} from './statistics.js';
import {askSecret, bitrate, el, find, icon, milliseconds, percent, say, show, tell,
  tokenOfURL} from './ui.js';
import {Player} from './whep.js';

const icons = {
  pause: 'M7 5v14M17 5v14', play: 'M7 4l13 8-13 8z', mute: 'M4 9v6h4l5 4V5L8 9zM16 9l5 6M21 9l-5 6',
  sound: 'M4 9v6h4l5 4V5L8 9zM16.5 8.5a5 5 0 010 7M19 6a8.5 8.5 0 010 12',
  full: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5', picture: 'M3 5h18v14H3zM12 12h7v5h-7z',
};
/** After so many failures without a picture something else is tried. */
const patience = 2;

openSession('publish', 'publish-this');
const video = find('#video');
let token = tokenOfURL() || storedKey.get();
const player = new Player(video, `/whep/${path}`, {token});
const chat = new ChannelPanel(find('#chat'));
let info = {};
let meter = new Meter();
let latency = null;
let fallback = null;      // AbortController of what plays without WebRTC
let failures = 0;
let knowsSound = false;
const lines = {
  latency: new Trace('#latency-line', '--accent'), rate: new Trace('#rate-line', '--second'),
};
const seen = {freezes: 0, frozen: 0};

controls();
player.addEventListener('state', ({detail}) => stateChanged(detail));
player.addEventListener('channel', ({detail}) => chat.attach(detail));
player.addEventListener('notice', ({detail}) => noticed(detail));
find('#chat').addEventListener('toggle', event => {
  player.channels = event.target.open ? labels : [];
  if (event.target.open) player.reconnect();
});
find('#key').addEventListener('click', askKey);
find('#layer').addEventListener('change', event => player.selectLayer(
  event.target.selectedOptions[0].dataset.media, event.target.value));
find('#via').addEventListener('change', event => choose(event.target.value));
document.addEventListener('language', () => {
  showLines();
  showControls();
});
getInfo().then(answer => {
  info = answer;
}, () => {}).then(() => {
  showLines();
  showWays();
});
player.start();
setInterval(measure, 1_000);

// ---- states ----

function stateChanged({state, problem, retryIn}) {
  forget();
  const isPlaying = state === 'connected';
  showState(state);
  find('#stage').classList.toggle('playing', isPlaying);
  show(find('#over'), !isPlaying);
  show(find('#spinner'), !['failed', 'stopped'].includes(state));
  show(find('#key'), false);
  tell(find('#told'), ['connecting', 'restarting', 'interrupted'].includes(state) ? state : '');
  if (isPlaying) begin();
  else endMeasuring();
  if (state === 'waiting') waiting(problem, retryIn);
  if (state === 'failed') failed(problem);
}

function begin() {
  failures = 0;
  meter = new Meter();
  latency = new LatencyMeter(video);
  Object.assign(seen, {freezes: 0, frozen: 0});
  showControls();
}

function endMeasuring() {
  latency?.close();
  latency = null;
}

function waiting(problem, retryIn) {
  const isAbsent = ['stream-not-live', 'stream-not-found'].includes(problem.code);
  showState(isAbsent ? 'waiting' : 'again');
  countDown(problem, retryIn);
  if (problem.code === 'no-path') {
    showProblem(problem);
    if (++failures >= patience) fallBack();
  }
}

function failed(problem) {
  tell(find('#told'));
  find('#told').textContent = problem.words('title');
  if (problem.status === 401 || problem.status === 403) {
    tell(find('#key'), 'keyTitle');
    show(find('#key'), true);
    if (problem.status === 403) showProblem(problem);
    return;
  }
  showProblem(problem);
  fallBack();
}

async function askKey() {
  const key = await askSecret('keyTitle', 'playKeyText');
  if (!key) return;
  token = key;
  storedKey.set(key);
  player.token = key;
  player.start();
}

function noticed({event, data}) {
  if (event === 'inactive') {
    show(find('#over'), true);
    tell(find('#told'), 'inactive');
  } else if (event === 'active') {
    show(find('#over'), player.state !== 'connected');
  } else if (event === 'viewercount') {
    const count = data.viewercount ?? data.count;
    if (Number.isFinite(count)) {
      tell(find('#watching'), count === 1 ? 'viewer' : 'viewers', {count});
    }
  } else if (event === 'layers') {
    showLayers(data);
  }
}

/** Both shapes are in use: `{"1": [{rid}]}` and `{"1": {"layers": [{encodingId}]}}`. */
function showLayers(data) {
  const select = find('#layer');
  const options = [el('option', {value: ''}, say('automatic'))];
  for (const [media, value] of Object.entries(data)) {
    for (const layer of Array.isArray(value) ? value : value?.layers ?? []) {
      const rid = layer.rid ?? layer.encodingId;
      const size = layer.width ? ` ${layer.width}×${layer.height}` : '';
      const speed = layer.bitrate ? ` · ${bitrate(layer.bitrate)}` : '';
      options.push(el('option', {value: rid, 'data-media': media}, `${rid}${size}${speed}`));
    }
  }
  const before = select.value;
  select.replaceChildren(...options);
  select.value = options.some(option => option.value === before) ? before : '';
  show(find('#layer-field'), options.length > 2 && player.canSelectLayer);
  showChoices();
}

// ---- without WebRTC ----

function showWays() {
  const select = find('#via');
  const possible = ways(info.outputs);
  select.replaceChildren(el('option', {value: ''}, say('webrtc')),
    ...possible.map(way => el('option', {value: way.kind}, way.kind.toUpperCase())));
  show(find('#via-field'), possible.length > 0);
  showChoices();
}

function showChoices() {
  show(find('#choices'), !find('#via-field').hidden || !find('#layer-field').hidden);
}

function fallBack() {
  const [first] = ways(info.outputs);
  if (first && !fallback) choose(first.kind);
}

async function choose(kind) {
  fallback?.abort();
  fallback = null;
  find('#via').value = kind;
  if (!kind) return player.start();
  const way = ways(info.outputs).find(one => one.kind === kind);
  player.stop();
  const mine = fallback = new AbortController();
  const playing = () => {
    show(find('#over'), false);
    showState('fallbackOn', {kind: kind.toUpperCase()});
    find('#stage').classList.add('playing');
  };
  video.addEventListener('playing', playing, {signal: mine.signal});
  while (!mine.signal.aborted) {
    tell(find('#told'), 'connecting');
    try {
      await playFallback(video, way, path, {token, signal: mine.signal});
    } catch (error) {
      if (mine.signal.aborted) return;
      showProblem(Problem.from(error));
    }
    await new Promise(resolve => setTimeout(resolve, 2_000));
  }
}

// ---- controls ----

function controls() {
  const on = (id, work) => find(id).addEventListener('click', work);
  on('#pause', () => (video.paused ? video.play() : video.pause()));
  for (const id of ['#mute', '#unmute']) {
    on(id, () => {
      video.muted = !video.muted;
      if (video.paused) video.play();
    });
  }
  on('#full', () => {
    const stage = find('#stage');
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen();
    else video.webkitEnterFullscreen?.();  // iPhones know only the video
  });
  on('#pip', () => (document.pictureInPictureElement
    ? document.exitPictureInPicture() : video.requestPictureInPicture()));
  for (const event of ['play', 'pause', 'volumechange']) {
    video.addEventListener(event, showControls);
  }
  document.addEventListener('fullscreenchange', showControls);
  showControls();
}

function showControls() {
  const button = (id, shape, label) => {
    find(id).replaceChildren(icon(icons[shape]));
    find(id).title = t(label);
    find(id).setAttribute('aria-label', t(label));
  };
  button('#pause', video.paused ? 'play' : 'pause', video.paused ? 'play' : 'pause');
  button('#mute', video.muted ? 'mute' : 'sound', video.muted ? 'unmute' : 'mute');
  button('#full', 'full', document.fullscreenElement ? 'leaveFull' : 'full');
  button('#pip', 'picture', 'picture');
  show(find('#pip'), document.pictureInPictureEnabled === true);
  tell(find('#unmute'), 'unmute');
  const hasSound = player.pc?.getReceivers()
    .some(({track}) => track.kind === 'audio' && !track.muted);
  if (!video.muted) knowsSound = true;  // who has found it needs no big button
  show(find('#unmute'), video.muted && !knowsSound && (hasSound || fallback !== null));
}

// ---- statistics ----

async function measure() {
  const report = await measured(meter, player);
  if (!report) return;
  const {video: picture, audio, path: way} = report;
  const rate = (picture?.bitrate || 0) + (audio?.bitrate || 0);
  put('#rate', bitrate(rate));
  showCodecs(picture, audio);
  showPath(way, way?.rtt);
  put('#buffer', milliseconds(picture?.buffer ?? audio?.buffer));
  if (picture) showPicture(picture);
  const late = latency?.take(way?.rtt, picture?.buffer + (picture?.decode || 0));
  put('#latency', `${late?.isEstimate ? '≈ ' : ''}${milliseconds(late?.value)}`);
  tell(find('#latency-how'), late?.isEstimate ? 'latencyEstimate' : 'latencyExact');
  lines.latency.add(late?.value);
  lines.rate.add(rate);
  if (find('#unmute').hidden && video.muted) showControls();
}

function showPicture(picture) {
  showSize(picture);
  put('#loss', percent(picture.loss));
  put('#loss-how', `Σ ${picture.lostInAll}`);
  put('#decode', milliseconds(picture.decode));
  if (!Number.isFinite(picture.freezes)) return;
  put('#freezes', picture.freezes
    ? `${picture.freezes} · ${picture.frozen.toFixed(1)} s` : t('noFreeze'));
  if (picture.freezes > seen.freezes) {
    const values = {
      time: new Date().toLocaleTimeString(),
      seconds: (picture.frozen - seen.frozen).toFixed(1),
      reason: t(freezeReason(picture)),
    };
    find('#freeze-lines').prepend(el('li', {}, say('freezeLine', values)));
    if (find('#freeze-lines').children.length > 20) find('#freeze-lines').lastChild.remove();
    show(find('#freeze-log'), true);
  }
  Object.assign(seen, {freezes: picture.freezes, frozen: picture.frozen});
}

function showLines() {
  find('#lines').replaceChildren(...watchLines(name, info));
}

// For people who look from the console, and for tests.
window.gateway = {player};
