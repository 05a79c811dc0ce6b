// Elements, numbers, copying, dialogs and the head of each page.
import {language, setLanguage, t, translate} from './i18n.js';

export const find = (css, root = document) => root.querySelector(css);

/** An element. Strings become text nodes, never markup: names come from strangers. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else element.setAttribute(name, value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

const said = new WeakMap();

/** Words that follow the language when it is changed. */
export function say(key, values) {
  const span = el('span', {'data-say': key});
  said.set(span, values);
  span.textContent = t(key, values);
  return span;
}

/** Puts words into an element, once more only if they differ: screen readers repeat changes. */
export function tell(element, key, values) {
  const words = key ? t(key, values) : '';
  if (element.textContent === words && !element.firstElementChild) return;
  element.replaceChildren(key ? say(key, values) : '');
}

export function show(element, visible) {
  element.hidden = !visible;
}

function renew() {
  translate(document);
  for (const span of document.querySelectorAll('[data-say]')) {
    span.textContent = t(span.dataset.say, said.get(span));
  }
}

/** A drawing of one path on a square of 24. */
export function icon(path, attributes = {}) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const shape = document.createElementNS(svg.namespaceURI, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

// ---- numbers ----

export function bitrate(bits) {
  if (!Number.isFinite(bits)) return '–';
  if (bits < 1e6) return `${Math.round(bits / 1000)} kbit/s`;
  return `${(bits / 1e6).toFixed(bits < 1e7 ? 2 : 1)} Mbit/s`;
}

export const milliseconds = value => (Number.isFinite(value) ? `${Math.round(value)} ms` : '–');

export const percent = value =>
  Number.isFinite(value) ? `${value < 10 ? value.toFixed(1) : Math.round(value)} %` : '–';

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.floor(seconds);
  const two = number => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

// ---- copying ----

/** Plain HTTP from another machine has no clipboard API: the old way works there. */
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    return navigator.clipboard.writeText(text);
  }
  const area = el('textarea', {class: 'offscreen', 'aria-hidden': 'true'});
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('not copied');
}

/** A line to copy: what it is, the text, a button. */
export function copyLine(label, text) {
  const button = el('button', {type: 'button', class: 'small'}, say('copy'));
  button.setAttribute('aria-label', `${t('copy')}: ${label}`);
  button.addEventListener('click', async () => {
    let done = 'copied';
    try {
      await copy(text);
    } catch {
      done = 'notCopied';
    }
    button.replaceChildren(say(done));
    setTimeout(() => button.replaceChildren(say('copy')), 1600);
  });
  return el('div', {class: 'copyline'}, el('b', {}, label),
    el('code', {tabindex: '0'}, text), button);
}

// ---- problems ----

/** A problem in a box: what happened, and what to do about it. */
export function problemBox(problem) {
  const box = el('div', {class: 'notice bad', role: 'alert'});
  box.append(el('strong', {}, problem.words('title')));
  if (problem.detail && problem.detail !== problem.title) {
    box.append(el('p', {}, problem.detail));
  }
  const fix = problem.words('fix');
  if (fix) box.append(el('p', {class: 'fix'}, fix));
  box.append(el('small', {}, problem.code));
  return box;
}

/** Asks for a secret in a dialog; null when the visitor does not want to. */
export function askSecret(titleKey, textKey) {
  return new Promise(resolve => {
    const input = el('input', {
      type: 'password', name: 'secret', autocomplete: 'off', required: true, id: 'secret',
    });
    const cancel = el('button', {type: 'button', class: 'plain'}, say('cancel'));
    const form = el('form', {method: 'dialog'},
      el('h2', {id: 'secret-title'}, say(titleKey)), el('p', {}, say(textKey)),
      el('label', {for: 'secret'}, say('secret')), input,
      el('div', {class: 'row end'}, cancel, el('button', {class: 'primary'}, say('ok'))));
    const dialog = el('dialog', {'aria-labelledby': 'secret-title'}, form);
    cancel.addEventListener('click', () => dialog.close('cancel'));
    form.addEventListener('submit', () => dialog.close('ok'));
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'ok' && input.value ? input.value.trim() : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}

// ---- the head of each page ----

const themes = ['auto', 'light', 'dark'];
const themeMarks = {auto: '◐', light: '☀', dark: '☾'};

function stored(key, fallback) {
  try {
    return localStorage.getItem(key) ?? fallback;
  } catch {
    return fallback;  // storage is forbidden in some private windows
  }
}

function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch { /* it holds until the page is left */ }
}

function themeButton() {
  let theme = stored('theme', 'auto');
  const button = el('button', {type: 'button', class: 'plain icon'});
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    button.textContent = themeMarks[theme] ?? themeMarks.auto;
    button.title = `${t('theme')}: ${t(`theme-${theme}`)}`;
    button.setAttribute('aria-label', button.title);
  };
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    store('theme', theme);
    apply();
  });
  document.addEventListener('language', apply);
  apply();
  return button;
}

function languageButton() {
  const button = el('button', {type: 'button', class: 'plain'});
  const apply = () => {
    const other = language() === 'zh' ? 'English' : '中文';
    button.textContent = other;
    button.lang = language() === 'zh' ? 'en' : 'zh';
  };
  button.addEventListener('click', () => {
    setLanguage(language() === 'zh' ? 'en' : 'zh');
    store('language', language());
    renew();
    document.dispatchEvent(new Event('language'));
  });
  document.addEventListener('language', apply);
  apply();
  return button;
}

/** Fills the page's head and translates the page. `place` is where its brand leads to, in words. */
export function openPage(place, ...links) {
  const asked = new URLSearchParams(location.search).get('lang');
  setLanguage(asked || stored('language', navigator.language));
  find('header').append(
    el('a', {class: 'skip', href: '#main'}, say('skip')),
    el('a', {class: 'brand', href: '/'}, el('img', {src: '/assets/icon.svg', alt: ''}), place),
    el('small', {id: 'version'}),
    el('nav', {}, ...links, languageButton(), themeButton()));
  renew();
}

/** The stream that the page's path names: `/play/live/cam1`. */
export function streamOfPath() {
  const path = location.pathname.split('/').slice(2).filter(Boolean);
  try {
    return path.map(decodeURIComponent).join('/');
  } catch {
    return path.join('/');
  }
}

/** The path of a name: its slashes stay. */
export const nameInPath = name => name.split('/').map(encodeURIComponent).join('/');

/** A key of the page's own URL. In the fragment it reaches no server and no log. */
export function tokenOfURL() {
  return new URLSearchParams(location.hash.slice(1)).get('token')
    ?? new URLSearchParams(location.search).get('token') ?? '';
}

/** A line of the last minute. Values that are not numbers leave a hole. */
export function sparkline(canvas, values, colour = '--accent') {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
  if (!width) return;
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  const known = values.filter(Number.isFinite);
  const top = Math.max(...known, 1e-9) * 1.15;
  context.strokeStyle = getComputedStyle(canvas).getPropertyValue(colour);
  context.lineWidth = 1.6 * scale;
  context.lineJoin = 'round';
  context.beginPath();
  let drawing = false;
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      drawing = false;
      return;
    }
    const x = width - (values.length - 1 - index) * width / 59;
    const y = height - 2 * scale - (value / top) * (height - 4 * scale);
    if (drawing) context.lineTo(x, y);
    else context.moveTo(x, y);
    drawing = true;
  });
  context.stroke();
}
