// Chat and echo by data channel: `chat` carries the publisher's words to all viewers, `echo` gives
// back what it gets.
import {el, find, milliseconds, say, tell} from './ui.js';

export const labels = ['chat', 'echo'];
const longest = 500;
const shownMessages = 100;

/** The panel of a page, over whatever channels the present connection has. */
export class ChannelPanel {
  #channels = {};
  #sentAt = new Map();
  #number = 0;

  constructor(root) {
    this.root = root;
    this.list = find('.messages', root);
    this.input = find('input', root);
    this.status = find('.status', root);
    this.buttons = root.querySelectorAll('button');
    find('form', root).addEventListener('submit', event => {
      event.preventDefault();
      this.#say();
    });
    find('.echo', root).addEventListener('click', () => this.#ping());
    this.#renew();
  }

  attach(channel) {
    this.#channels[channel.label] = channel;
    channel.addEventListener('open', () => this.#renew());
    channel.addEventListener('close', () => this.#renew());
    channel.addEventListener('message', ({data}) => {
      if (channel.label === 'echo') this.#pong(data);
      else this.#add(String(data).slice(0, longest), 'theirs');
    });
    this.#renew();
  }

  #isOpen(label) {
    return this.#channels[label]?.readyState === 'open';
  }

  #renew() {
    const open = this.#isOpen('chat');
    tell(this.status, open ? 'channelOpen' : 'channelClosed');
    this.input.disabled = !open;
    for (const button of this.buttons) button.disabled = !open;
  }

  #say() {
    const text = this.input.value.trim().slice(0, longest);
    if (!text || !this.#isOpen('chat')) return;
    this.#channels.chat.send(text);
    this.#add(text, 'mine');
    this.input.value = '';
  }

  #ping() {
    if (!this.#isOpen('echo')) return;
    const text = `echo ${this.#number++}`;
    this.#sentAt.set(text, performance.now());
    if (this.#sentAt.size > 20) this.#sentAt.delete(this.#sentAt.keys().next().value);
    this.#channels.echo.send(text);
  }

  #pong(text) {
    const sentAt = this.#sentAt.get(text);
    if (sentAt === undefined) return;
    this.#sentAt.delete(text);
    this.#add(say('echoed', {time: milliseconds(performance.now() - sentAt)}), 'told');
  }

  #add(content, whose) {
    this.list.append(el('li', {class: whose}, content));
    while (this.list.children.length > shownMessages) this.list.firstElementChild.remove();
    this.list.scrollTop = this.list.scrollHeight;
  }
}
