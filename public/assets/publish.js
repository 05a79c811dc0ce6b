// The publisher's page.
import {Problem} from './api.js';
import {ChannelPanel, labels} from './channel.js';
import {t} from './i18n.js';
import {devices, open} from './sources.js';
import {countDown, forget, measured, name, openSession, path, put, showCodecs, showPath,
  showProblem, showSize, showState, Trace} from './session.js';
import {Meter} from './statistics.js';
import {askSecret, bitrate, copyLine, el, find, milliseconds, percent, say, show, tell,
  tokenOfURL} from './ui.js';
import {codecs, Publisher} from './whip.js';

openSession('play', 'watch-this');
const video = find('#video');
const chat = new ChannelPanel(find('#chat'));
const rates = new Trace('#rate-line', '--second');
/** Camera and screen are given to secure pages only. */
const able = {
  camera: !!navigator.mediaDevices?.getUserMedia,
  screen: !!navigator.mediaDevices?.getDisplayMedia,
  pattern: true,
};
let publisher = null;
let stream = null;
let meter = new Meter();
window.gateway = {};  // for people who look from the console, and for tests

find('#key').value = tokenOfURL();
offerSources();
showBitrate();
renew();
find('#go').addEventListener('click', () => (publisher ? stop() : start()));
find('#mute').addEventListener('click', () => toggle('audio'));
find('#hide').addEventListener('click', () => toggle('video'));
find('#bitrate').addEventListener('input', () => {
  showBitrate();
  publisher?.limit(limit()).catch(() => {});
});
find('#settings').addEventListener('submit', event => event.preventDefault());
find('#settings').addEventListener('change', changed);
document.addEventListener('language', renew);
navigator.mediaDevices?.addEventListener?.('devicechange', listDevices);
listDevices();
setInterval(measure, 1_000);

// ---- choices ----

function chosen() {
  return find('input[name=source]:checked').value;
}

/** Bits per second; 0: the browser decides. */
function limit() {
  return Number(find('#bitrate').value) * 1000;
}

function offerSources() {
  const asked = new URLSearchParams(location.hash.slice(1)).get('source');
  const first = able[asked] ? asked : able.camera ? 'camera' : 'pattern';
  find(`input[value=${first}]`).checked = true;
  if (!able.camera) tell(find('#insecure'), 'insecure');
  show(find('#insecure'), !able.camera);
  find('#codec').replaceChildren(el('option', {value: ''}, say('auto')),
    ...codecs().map(codec => el('option', {value: codec}, codec.replace(/^H26/, 'H.26'))));
}

async function listDevices() {
  const {cameras, microphones} = await devices();
  for (const [id, list] of [['#camera', cameras], ['#microphone', microphones]]) {
    const before = find(id).value;
    find(id).replaceChildren(el('option', {value: ''}, say('auto')), ...list.map((device, index) =>
      el('option', {value: device.deviceId},
        device.label || t('device', {number: index + 1}))));
    if (list.some(device => device.deviceId === before)) find(id).value = before;
  }
}

/** Devices change while it runs; everything else holds from the next start on. */
async function changed(event) {
  renew();
  const kind = {camera: 'video', microphone: 'audio'}[event.target.id];
  if (!kind || !stream || !publisher || chosen() !== 'camera') return;
  try {
    const settings = current();
    const fresh = await open('camera', {...settings, withAudio: kind === 'audio'});
    for (const track of fresh.getTracks()) {
      if (track.kind === kind) await publisher.replace(track);
      else track.stop();
    }
    listDevices();
  } catch (error) {
    trouble(error);
  }
}

function current() {
  const [width, height] = find('#size').value.split('x').map(Number);
  return {
    width, height, name, fps: Number(find('#fps').value), withAudio: find('#sound').checked,
    videoDevice: find('#camera').value, audioDevice: find('#microphone').value,
  };
}

function showBitrate() {
  find('#bitrate-shown').textContent = limit() ? bitrate(limit()) : t('auto');
}

// ---- start and stop ----

async function start() {
  find('#trouble').replaceChildren();
  state('opening');
  find('#go').disabled = true;
  try {
    stream = await open(chosen(), current());
  } catch (error) {
    state('ready');
    return trouble(error);
  } finally {
    find('#go').disabled = false;
  }
  video.srcObject = stream;
  video.play().catch(() => {});
  for (const track of stream.getTracks()) {
    track.addEventListener('ended', () => {
      if (!stream?.getTracks().includes(track)) return;
      stop();
      find('#trouble').replaceChildren(el('div', {class: 'notice warn', role: 'status'},
        say('sourceEnded', {label: track.label})));
    });
  }
  listDevices();
  publish();
}

function publish() {
  publisher = new Publisher(`/whip/${path}`, stream, {
    token: find('#key').value.trim(), codec: find('#codec').value, bitrate: limit(),
    simulcast: find('#simulcast').checked, channels: labels,
  });
  publisher.addEventListener('state', ({detail}) => stateChanged(detail));
  publisher.addEventListener('channel', ({detail}) => chat.attach(detail));
  window.gateway.publisher = publisher;
  meter = new Meter();
  rates.clear();
  renew();
  publisher.start();
}

function stop() {
  const last = publisher;
  publisher = null;
  last?.stop();
  const tracks = stream?.getTracks() ?? [];
  stream = null;
  for (const track of tracks) track.stop();
  video.srcObject = null;
  state('stopped');
  renew();
}

function stateChanged({state: now, problem, retryIn}) {
  if (!publisher) return;
  forget();
  state({connected: 'publishing', waiting: 'again'}[now] ?? now);
  if (now === 'waiting') {
    countDown(problem, retryIn);
    showProblem(problem);
  }
  if (now === 'failed') failed(problem);
}

async function failed(problem) {
  if (problem.status !== 401) {
    stop();
    return trouble(problem);
  }
  const key = await askSecret('keyTitle', 'publishKeyText');
  if (!key) {
    stop();
    return trouble(problem);
  }
  find('#key').value = key;
  if (stream) publish();
}

function trouble(error) {
  showProblem(Problem.from(error));
}

function state(key) {
  showState(key);
  const isOver = key !== 'publishing';
  show(find('#over'), isOver);
  show(find('#spinner'), ['opening', 'connecting', 'restarting', 'interrupted'].includes(key));
  tell(find('#told'), isOver && key !== 'failed' && key !== 'again' ? key : '');
}

// ---- controls ----

function toggle(kind) {
  for (const track of stream?.getTracks() ?? []) {
    if (track.kind === kind) track.enabled = !track.enabled;
  }
  renew();
}

function renew() {
  const isOn = publisher !== null;
  const source = chosen();
  find('#go').className = isOn ? 'danger' : 'primary';
  tell(find('#go'), isOn ? 'stop' : 'start');
  const isEnabled = kind => stream?.getTracks().find(track => track.kind === kind)?.enabled;
  tell(find('#mute'), isEnabled('audio') === false ? 'unmuteMic' : 'muteMic');
  tell(find('#hide'), isEnabled('video') === false ? 'showCamera' : 'hideCamera');
  find('#mute').disabled = isEnabled('audio') === undefined;
  find('#hide').disabled = isEnabled('video') === undefined;
  show(find('#camera-field'), source === 'camera');
  show(find('#microphone-field'), source === 'camera');
  for (const id of ['size', 'fps', 'codec', 'simulcast', 'sound', 'key']) {
    find(`#${id}`).disabled = isOn;
  }
  for (const radio of document.querySelectorAll('input[name=source]')) {
    radio.disabled = isOn || !able[radio.value];
  }
  if (!isOn && !find('#state').textContent) state('ready');
  if (isOn) for (const id of ['#statistics', '#chat']) show(find(id), true);
  showBitrate();
  find('#link').replaceChildren(copyLine(t('webpage'), `${location.origin}/play/${path}`));
}

// ---- statistics ----

async function measure() {
  const report = await measured(meter, publisher);
  if (!report) return;
  const {sent, path: way} = report;
  const layers = sent.filter(one => one.kind === 'video');
  const best = layers.filter(layer => layer.isActive)
    .sort((a, b) => (b.width ?? 0) - (a.width ?? 0))[0] ?? {};
  const rate = sent.reduce((sum, one) => sum + (one.bitrate || 0), 0);
  put('#rate', bitrate(rate));
  put('#rate-how', Number.isFinite(way?.available) ? `≤ ${bitrate(way.available)}` : '');
  showSize(best);
  showCodecs(best, sent.find(one => one.kind === 'audio'));
  tell(find('#quality'), best.limited === 'none' ? 'ok' : 'limited',
    {reason: t(best.limited ?? 'other')});
  put('#loss', percent(best.loss));
  put('#loss-how', best.repeated ? `+${best.repeated} RTX` : '');
  showPath(way, Number.isFinite(best.rtt) ? best.rtt : way?.rtt);
  put('#encode', milliseconds(best.encode));
  show(find('#layers'), layers.length > 1);
  find('#layers tbody').replaceChildren(...layers.map(layer => el('tr', {},
    el('td', {}, layer.rid), el('td', {}, layer.width ? `${layer.width}×${layer.height}` : '–'),
    el('td', {}, Number.isFinite(layer.fps) ? layer.fps.toFixed(0) : '–'),
    el('td', {}, bitrate(layer.bitrate)))));
  rates.add(rate);
}
