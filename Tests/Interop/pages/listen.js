// A viewer that measures: what of the picture was decoded, and what the sound is.

/** Plays by WHEP and measures for so many seconds. */
export async function listen({url, seconds}) {
  const pc = new RTCPeerConnection();
  const video = document.createElement('video');
  video.muted = true;
  video.autoplay = true;
  video.srcObject = new MediaStream();
  document.body.append(video);
  let ear = null;
  pc.ontrack = ({track}) => {
    video.srcObject.addTrack(track);
    if (track.kind === 'audio') ear = new Ear(new MediaStream([track]));
  };
  for (const kind of ['video', 'audio']) pc.addTransceiver(kind, {direction: 'recvonly'});
  await pc.setLocalDescription();
  const answer = await post(url, pc.localDescription.sdp);
  await pc.setRemoteDescription({type: 'answer', sdp: answer});
  const watch = new Flashes(video);
  await new Promise(resolve => setTimeout(resolve, seconds * 1000));
  const report = {...await figures(pc), sound: ear?.report() ?? null,
    apart: ear ? apart(watch.times, ear.times) : null};
  pc.close();
  return report;
}

/** A viewer may come before the publisher is ready. */
async function post(url, body) {
  for (let tries = 0; ; tries++) {
    const headers = {'Content-Type': 'application/sdp'};
    const answer = await fetch(url, {method: 'POST', headers, body});
    if (answer.status === 201) return answer.text();
    if (tries === 20) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

async function figures(pc) {
  const found = {};
  for (const entry of (await pc.getStats()).values()) {
    if (entry.type !== 'inbound-rtp') continue;
    found[entry.kind] = entry.kind === 'video'
      ? {frames: entry.framesDecoded, dropped: entry.framesDropped, freezes: entry.freezeCount,
        width: entry.frameWidth}
      : {samples: entry.totalSamplesReceived, concealed: entry.concealedSamples,
        silent: entry.silentConcealedSamples, energy: entry.totalAudioEnergy};
  }
  return found;
}

/** How loud it is and at which pitch, and when it begins to be loud. */
class Ear {
  times = [];
  #context = new AudioContext();
  #analyser = this.#context.createAnalyser();
  #pitches = [];
  #loud = 0;
  #looks = 0;
  #wasLoud = true;

  constructor(stream) {
    this.#analyser.fftSize = 2048;
    // Chromium feeds sound to the graph only if an element plays it, too.
    const element = new Audio();
    element.srcObject = stream;
    element.muted = true;
    element.play().catch(() => {});
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    this.#context.resume();
    setInterval(() => this.#look(), 5);
  }

  #look() {
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    this.#looks++;
    // The newest five milliseconds say when.
    const now = performance.now();
    const newest = samples.subarray(samples.length - 240);
    const isLoud = newest.some(sample => Math.abs(sample) > 0.05);
    if (isLoud && !this.#wasLoud) this.times.push(now);
    this.#wasLoud = isLoud;
    if (!samples.some(sample => Math.abs(sample) > 0.01)) return;
    this.#loud++;
    this.#pitches.push(pitch(samples, this.#context.sampleRate));
  }

  report() {
    const sorted = this.#pitches.sort((a, b) => a - b);
    return {loud: this.#looks ? this.#loud / this.#looks : 0,
      pitch: sorted[Math.floor(sorted.length / 2)] ?? 0};
  }
}

/** From zero crossings upwards, placed between samples. */
function pitch(samples, rate) {
  let [first, last, count] = [null, null, 0];
  for (let index = 1; index < samples.length; index++) {
    const [before, after] = [samples[index - 1], samples[index]];
    if (before >= 0 || after < 0) continue;
    last = index - 1 + before / (before - after);
    first ??= last;
    count++;
  }
  return count > 1 ? (count - 1) * rate / (last - first) : 0;
}

/** When the picture turns white. */
class Flashes {
  times = [];
  #context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  #wasWhite = true;

  constructor(video) {
    const each = (_, {expectedDisplayTime}) => {
      this.#context.drawImage(video, 0, 0, 8, 8);
      const isWhite = this.#context.getImageData(4, 4, 1, 1).data[1] > 128;
      if (isWhite && !this.#wasWhite) this.times.push(expectedDisplayTime);
      this.#wasWhite = isWhite;
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  }
}

/** Milliseconds from each flash to the beep that belongs to it: the middle one. */
function apart(flashes, beeps) {
  const found = flashes.map(flash => beeps.map(beep => beep - flash)
    .sort((a, b) => Math.abs(a) - Math.abs(b))[0]).filter(value => Math.abs(value) < 400);
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)] ?? null;
}
