// What a page can publish: camera, screen, or a picture it draws itself.

const wanted = value => (value ? {ideal: value} : undefined);

/** Opens a source; `device` ids may be empty. The caller stops the tracks. */
export async function open(kind, settings) {
  const {width, height, fps, videoDevice, audioDevice, withAudio} = settings;
  const picture = {width: wanted(width), height: wanted(height), frameRate: wanted(fps)};
  if (kind === 'pattern') return pattern(settings);
  if (kind === 'screen') {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: {frameRate: wanted(fps)}, audio: withAudio,
    });
    for (const track of stream.getVideoTracks()) track.contentHint = 'detail';
    return stream;
  }
  return navigator.mediaDevices.getUserMedia({
    video: {...picture, ...(videoDevice ? {deviceId: {exact: videoDevice}} : {})},
    audio: withAudio && (audioDevice ? {deviceId: {exact: audioDevice}} : true),
  });
}

/** Cameras and microphones. They have names only once the visitor has allowed one. */
export async function devices() {
  const all = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  const of = kind => all.filter(device => device.kind === kind && device.deviceId);
  return {cameras: of('videoinput'), microphones: of('audioinput')};
}

/** A moving picture with the time in it, and a tick every second. */
function pattern({width, height, fps, withAudio, name}) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width || 1280, height || 720];
  const context = canvas.getContext('2d', {alpha: false});
  const began = performance.now();
  let frame = 0;
  const ticker = new Worker('/assets/ticker.js');
  ticker.addEventListener('message', () => draw(context, performance.now() - began, frame++, name));
  ticker.postMessage(1000 / fps);
  draw(context, 0, 0, name);
  const stream = canvas.captureStream(fps);
  const sound = withAudio ? tone() : null;
  if (sound) stream.addTrack(sound.track);
  const track = stream.getVideoTracks()[0];
  const end = track.stop.bind(track);
  track.stop = () => {
    ticker.terminate();
    sound?.close();
    end();
  };
  return stream;
}

const bars = ['#c8c8c8', '#c8c800', '#00c8c8', '#00c800', '#c800c8', '#c80000', '#0000c8'];

function draw(context, elapsed, frame, name) {
  const {width, height} = context.canvas;
  const unit = height / 36;
  bars.forEach((colour, index) => {
    context.fillStyle = colour;
    context.fillRect(index * width / 7, 0, width / 7 + 1, height * 0.6);
  });
  context.fillStyle = '#10141f';
  context.fillRect(0, height * 0.6, width, height * 0.4);

  // Something that moves evenly shows every lost and every late picture.
  const angle = 2 * Math.PI * (elapsed % 2000) / 2000;
  const [x, y, radius] = [width * 0.84, height * 0.8, unit * 5];
  context.strokeStyle = '#39435c';
  context.lineWidth = unit / 2;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.stroke();
  context.strokeStyle = '#5b8cff';
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + radius * Math.sin(angle), y - radius * Math.cos(angle));
  context.stroke();
  context.fillStyle = '#ffffff';
  context.fillRect((elapsed / 4) % width, height * 0.6 - unit, unit * 2, unit);

  context.textBaseline = 'middle';
  context.font = `600 ${unit * 4}px ui-monospace, monospace`;
  context.fillText(new Date().toISOString().slice(11, 23), width * 0.05, height * 0.74);
  context.fillStyle = '#93a0b8';
  context.font = `${unit * 1.8}px system-ui, sans-serif`;
  context.fillText(`${name}  ·  ${width}×${height}  ·  ${frame}`, width * 0.05, height * 0.88);
}

/** 440 Hz, quiet, and louder for a twentieth of every second. */
function tone() {
  const audio = new AudioContext({sampleRate: 48000});
  const seconds = audio.createBuffer(1, audio.sampleRate, audio.sampleRate);
  const samples = seconds.getChannelData(0);
  for (let index = 0; index < samples.length; index++) {
    const isTick = index < samples.length / 20;
    samples[index] = Math.sin(2 * Math.PI * (isTick ? 880 : 440) * index / audio.sampleRate)
      * (isTick ? 0.25 : 0.02);
  }
  const source = audio.createBufferSource();
  source.buffer = seconds;
  source.loop = true;
  const output = audio.createMediaStreamDestination();
  source.connect(output);
  source.start();
  return {track: output.stream.getAudioTracks()[0], close: () => audio.close()};
}
