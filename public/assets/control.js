// The data channel `control`: what happens around a session, and wishes with their answers.

const answerLimit = 5_000;

/** Talks with the gateway; `onevent(event, data)` hears what it says by itself. */
export class Control {
  #channel;
  #number = 0;
  #waiting = new Map();

  constructor(pc, onevent) {
    this.#channel = pc.createDataChannel('control');
    this.#channel.addEventListener('message', ({data}) => this.#hear(data, onevent));
    this.#channel.addEventListener('close', () => {
      for (const id of [...this.#waiting.keys()]) this.#answer(id, false);
    });
  }

  get isOpen() {
    return this.#channel.readyState === 'open';
  }

  onOpen(act) {
    this.#channel.addEventListener('open', act);
  }

  /** @returns {Promise<boolean>} whether it was done */
  wish(what) {
    const id = ++this.#number;
    this.#channel.send(JSON.stringify({id, ...what}));
    return new Promise(resolve => {
      this.#waiting.set(id, resolve);
      setTimeout(() => this.#answer(id, false), answerLimit);
    });
  }

  #hear(text, onevent) {
    let said;
    try {
      said = JSON.parse(text);
    } catch { return; }
    const {event, data} = said;
    if (event === 'done' || event === 'problem') this.#answer(data.id, event === 'done');
    else onevent(event, data);
  }

  #answer(id, isDone) {
    this.#waiting.get(id)?.(isDone);
    this.#waiting.delete(id);
  }
}
