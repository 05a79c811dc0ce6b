// A clock that a machine can read in the picture: the same as in stamp.py.
//
// Two rows of 40 square cells: 32 bits of milliseconds since 1970 and 32 bits of the picture's
// number, each with a CRC of 8 bits. Only the middle of a cell is read, so that it survives scaling
// and lossy coding.

const columns = 40;

/** Comparable between pages on one machine, and finer than Date. */
export const wall = () => performance.timeOrigin + performance.now();

function crc8(word) {
  let crc = 0;
  for (const shift of [24, 16, 8, 0]) {
    crc ^= (word >>> shift) & 255;
    for (let bit = 0; bit < 8; bit++) crc = crc & 128 ? ((crc << 1) ^ 7) & 255 : crc << 1;
  }
  return crc;
}

export function drawStamp(context, milliseconds, number) {
  const cell = Math.floor(context.canvas.width / columns);
  [milliseconds % 4294967296, number].forEach((value, row) => {
    const word = Math.floor(value) >>> 0;
    const crc = crc8(word);
    for (let index = 0; index < columns; index++) {
      const bit = index < 32 ? (word >>> (31 - index)) & 1 : (crc >>> (39 - index)) & 1;
      context.fillStyle = bit ? '#fff' : '#000';
      context.fillRect(index * cell, row * cell, cell, cell);
    }
  });
}

function readStamp(context, video) {
  const [width, cell] = [video.videoWidth, video.videoWidth / columns];
  const height = Math.ceil(cell * 2);
  [context.canvas.width, context.canvas.height] = [width, height];
  context.drawImage(video, 0, 0, width, height, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height).data;
  const words = [];
  for (let row = 0; row < 2; row++) {
    let [word, crc] = [0, 0];
    for (let index = 0; index < columns; index++) {
      const [x, y] = [Math.floor((index + 0.5) * cell), Math.floor((row + 0.5) * cell)];
      const bit = pixels[4 * (y * width + x) + 1] > 127 ? 1 : 0;
      if (index < 32) word = ((word << 1) | bit) >>> 0;
      else crc = crc << 1 | bit;
    }
    if (crc8(word) !== crc) return null;
    words.push(word);
  }
  return words;
}

/** `now` minus a stamp, on a circle of 2^32 ms. */
function age(now, stamp) {
  let difference = (Math.floor(now) - stamp) % 4294967296;
  if (difference < -2147483648) difference += 4294967296;
  return difference > 2147483648 ? difference - 4294967296 : difference;
}

/** Reads the age of every picture that is shown; `report` says what came of it. */
export function watchLatency(video, shown = () => {}) {
  const ages = [];
  const samples = [];
  let isOver = false;
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  let [unreadable, skipped, backwards, last] = [0, 0, 0, null];
  const each = () => {
    if (isOver) return;
    const now = wall();
    shown();
    const stamp = readStamp(context, video);
    // One picture of garbage in 256 has a right CRC: no clock is minutes off on one machine.
    if (!stamp || Math.abs(age(now, stamp[0])) > 120_000) {
      unreadable++;
    } else {
      ages.push(age(now, stamp[0]));
      samples.push({at: now, age: ages.at(-1)});
      if (last !== null && stamp[1] < last) backwards++;
      else if (last !== null) skipped += Math.max(0, stamp[1] - last - 1);
      last = stamp[1];
    }
    video.requestVideoFrameCallback(each);
  };
  video.requestVideoFrameCallback(each);
  const stop = () => {
    isOver = true;
  };
  return {samples, stop, report() {
    const sorted = [...ages].sort((a, b) => a - b);
    const at = share => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    return {read: sorted.length, unreadable, skipped, backwards, min: sorted[0],
      p50: at(0.5), p95: at(0.95), p99: at(0.99)};
  }};
}
