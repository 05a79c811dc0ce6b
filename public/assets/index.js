// The list of live streams.
import {info as getInfo, Problem, storedKey, streams as getStreams} from './api.js';
import {publishLines, watchLines} from './lines.js';
import {askSecret, bitrate, duration, el, find, icon, nameInPath, openPage, problemBox, say, show,
  tell} from './ui.js';
import {Player} from './whep.js';

const refreshEvery = 3_000;
const previewAfter = 250;
const cards = new Map();   // by name: {root, fill}
let info = {};
let preview = null;
let hasAsked = false;

openPage(el('span', {}, 'gateway'));
find('#open').addEventListener('submit', event => {
  event.preventDefault();
  const page = event.submitter?.value === 'publish' ? 'publish' : 'play';
  location.href = `/${page}/${nameInPath(find('#name').value)}`;
});
find('#name').addEventListener('input', showLines);
find('#forget').addEventListener('click', () => {
  storedKey.forget();
  location.reload();
});
document.addEventListener('language', () => {
  showInfo();
  showLines();
});
document.addEventListener('visibilitychange', () => document.hidden && endPreview());
await loadInfo();
for (;;) {
  if (!document.hidden) await refresh();
  await new Promise(resolve => setTimeout(resolve, refreshEvery));
}

async function loadInfo() {
  try {
    info = await getInfo();
  } catch { /* the list says what is wrong */ }
  showInfo();
  showLines();
}

async function refresh() {
  const trouble = find('#trouble');
  try {
    const list = await getStreams();
    trouble.replaceChildren();
    showStreams(list);
    show(find('#forget'), storedKey.get() !== '');
    if (!info.version) await loadInfo();
  } catch (error) {
    const problem = Problem.from(error);
    if (problem.status === 401 || problem.status === 403) return locked(problem);
    if (problem.status === 404) return showDemo();
    trouble.replaceChildren(el('div', {class: 'notice warn', role: 'status'}, say('stale')));
  }
}

/** Without the token there is no list; what everybody may know is shown all the same. */
async function locked(problem) {
  const wasWrong = storedKey.get() !== '';
  storedKey.forget();
  showDemo();
  const enter = el('button', {type: 'button', class: 'small', onclick: ask}, say('enterToken'));
  const box = wasWrong ? problemBox(problem)
    : el('div', {class: 'notice', role: 'status'}, say('listHidden'));
  if (!find('#trouble button') || wasWrong) {
    box.append(el('div', {class: 'row'}, enter));
    find('#trouble').replaceChildren(box);
  }
  if (!hasAsked && !wasWrong && !info.demo?.length) await ask();
}

async function ask() {
  hasAsked = true;
  const token = await askSecret('listTitle', 'listText');
  if (!token) return;
  storedKey.set(token);
  await refresh();
}

function showDemo() {
  showStreams((info.demo ?? []).map(name => ({name, ready: true, tracks: demoTracks(name)})));
  find('#count').replaceChildren();
  show(find('#empty'), false);  // whether it is empty is not known
}

/** What the demo streams are is known without asking. */
function demoTracks(name) {
  const codec = name.endsWith('h264') ? 'H.264' : 'VP8';
  return [{slot: 'video0', codec}, {slot: 'audio0', codec: 'Opus'}];
}

function showStreams(list) {
  const root = find('#streams');
  const names = new Set(list.map(stream => stream.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    if (preview?.name === name) endPreview();
    card.root.remove();
    cards.delete(name);
  }
  for (const stream of list) {
    let card = cards.get(stream.name);
    if (!card) {
      card = makeCard(stream.name);
      cards.set(stream.name, card);
      root.append(card.root);
    }
    card.fill(stream);
  }
  tell(find('#count'), list.length === 1 ? 'streamsOne' : 'streamsCount', {count: list.length});
  show(find('#empty'), !list.length);
  show(root, list.length > 0);
}

function makeCard(name) {
  const badge = el('span', {class: 'badge'});
  const hint = el('span', {class: 'hint'});
  const screen = el('a', {class: 'screen', href: `/play/${nameInPath(name)}`, 'aria-label': name},
    badge, icon('M7 4l13 8-13 8z', {class: 'mark'}), hint);
  const tags = el('div', {class: 'tags'});
  const facts = el('small');
  const lines = el('div', {class: 'lines'});
  const more = el('details', {}, el('summary', {}, say('linesFor')), lines);
  more.addEventListener('toggle', () => more.open && lines.replaceChildren(
    ...watchLines(name, info), ...publishLines(name, info)));
  const root = el('article', {class: 'card'}, screen, el('div', {class: 'body'},
    el('h3', {}, name), tags, facts,
    el('div', {class: 'row'}, el('a', {class: 'button small', href: screen.href}, say('watch'))),
    more));
  const card = {root, screen, hint, name, canPlay: true, fill: stream => fill(stream)};
  const begin = () => card.canPlay && startPreview(card);
  screen.addEventListener('pointerenter', event => event.pointerType === 'mouse' && begin());
  screen.addEventListener('pointerleave', () => endPreview(card));
  screen.addEventListener('focus', begin);
  screen.addEventListener('blur', () => endPreview(card));

  function fill(stream) {
    const video = stream.tracks?.find(track => track.slot.startsWith('video'));
    card.canPlay = stream.ready && canDecode(video?.codec);
    badge.className = `badge ${stream.ready ? 'good' : 'warn'}`;
    tell(badge, stream.ready ? 'live' : 'waiting');
    hint.classList.toggle('point', card.canPlay);
    if (canDecode(video?.codec)) tell(hint, stream.ready ? 'hover' : 'inactive');
    else tell(hint, 'noPreview', {codec: video.codec});
    tags.replaceChildren(...(stream.tracks ?? []).map(track => {
      const size = track.width ? ` ${track.width}×${track.height}` : '';
      const layers = track.layers?.length > 1 ? ` ×${track.layers.length}` : '';
      return el('span', {class: 'tag'}, `${track.codec}${size}${layers}`);
    }));
    const known = [];
    if (Number.isFinite(stream.viewers)) {
      known.push(say(stream.viewers === 1 ? 'viewer' : 'viewers', {count: stream.viewers}));
    }
    if (stream.bitrate) known.push(bitrate(stream.bitrate));
    if (stream.publisher?.protocol) {
      known.push(say('by', {protocol: stream.publisher.protocol.toUpperCase()}));
    }
    if (Number.isFinite(stream.uptime) && stream.ready) {
      known.push(say('upFor', {time: duration(stream.uptime)}));
    }
    facts.replaceChildren(...known.flatMap((fact, index) => (index ? [' · ', fact] : [fact])));
  }
  return card;
}

/** Whether WebRTC of this browser can show it; Firefox may lack H.264, most lack H.265. */
function canDecode(codec) {
  const type = {'H.264': 'H264', 'H.265': 'H265'}[codec] ?? codec;
  if (!type) return true;
  const known = window.RTCRtpReceiver?.getCapabilities?.('video')?.codecs;
  if (!known) return true;
  return known.some(one => one.mimeType.toUpperCase() === `VIDEO/${type.toUpperCase()}`);
}

function startPreview(card) {
  if (preview?.card === card) return;
  endPreview();
  const video = el('video', {playsinline: true, tabindex: '-1', 'aria-hidden': 'true'});
  video.muted = true;
  const player = new Player(video, `/whep/${nameInPath(card.name)}`, {token: storedKey.get()});
  const timer = setTimeout(() => {
    player.start();
    card.screen.append(video);
  }, previewAfter);
  preview = {card, name: card.name, end() {
    clearTimeout(timer);
    player.stop();
    video.remove();
  }};
}

function endPreview(card) {
  if (!preview || (card && preview.card !== card)) return;
  preview.end();
  preview = null;
}

function showInfo() {
  if (info.version) tell(find('#version'), 'version', {version: info.version});
  const {addresses = [], warnings = []} = info.webrtc ?? {};
  const box = find('#addresses');
  box.replaceChildren();
  if (addresses.length) {
    const list = el('ul', {class: 'addresses mono'}, ...addresses.map(one => {
      const host = one.address.includes(':') ? `[${one.address}]` : one.address;
      const tags = [one.protocol.toUpperCase(), one.scope].filter(Boolean);
      return el('li', {}, `${host}:${one.port} `,
        ...tags.map(tag => el('span', {class: 'tag'}, tag)));
    }));
    box.append(el('p', {class: 'muted'}, say('advertised')), list);
  } else {
    box.append(el('p', {class: 'muted'}, say('noAddresses')));
  }
  const notices = warnings.map(warning => el('div', {class: 'notice warn'},
    el('strong', {}, warning.detail ?? warning.code),
    warning.fix ? el('p', {class: 'fix'}, warning.fix) : null));
  find('#warnings').replaceChildren(...notices);
  show(find('#warnings'), notices.length > 0);
  find('#empty-lines').replaceChildren(...publishLines('live/test', info).slice(0, 2));
}

function showLines() {
  const name = find('#name');
  if (name.validity.valid) find('#lines').replaceChildren(...publishLines(name.value, info));
}
