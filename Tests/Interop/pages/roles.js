// What a test lets a browser be: a player or a publisher for some seconds, with a report.
import {inbound, outbound, statistics, transport} from './report.js';
import {direct, echoChannel, negotiate, offerOnly, watchState} from './signalling.js';
import {drawStamp, wall, watchLatency} from './stamp.js';

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Milliseconds from the POST to each thing that happened. */
const sincePost = times => Object.fromEntries(Object.entries(times)
  .filter(([name]) => name !== 'post')
  .map(([name, at]) => [name, Math.round(at - times.post)]));

/** Negotiates, lets a second function look every second, restarts in between, says goodbye. */
async function live(pc, options, look) {
  const [times, report] = [{}, {}];
  watchState(pc, times);
  const channel = options.channel ? echoChannel(pc) : null;
  try {
    const session = await negotiate(pc, options, times);
    const begun = wall();
    while (wall() < begun + options.seconds * 1_000 && !window.isOver) {
      await pause(1_000);
      await look();
      if (options.restart && !report.restart && wall() > begun + options.restart * 1_000) {
        report.restart = await session.restart();
      }
      if (options.change && !report.change && wall() > begun + options.seconds * 500) {
        const before = inbound(await statistics(pc), 'video');
        report.change = {...await session.change(options.change), before};
      }
    }
    const all = await statistics(pc);
    Object.assign(report, {video: inbound(all, 'video'), audio: inbound(all, 'audio'),
      outbound: outbound(all), transport: transport(all), channel: channel?.report(),
      connectionState: pc.connectionState, http: session.report()});
    report.http.deleted = await session.close();
  } catch (error) {
    report.error = String(error);
  }
  pc.close();
  report.times_ms = sincePost(times);
  return {report, times};
}

export async function whep(options) {
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const video = document.querySelector('video');
  const stream = new MediaStream();
  video.muted = true;
  if (options.audio) pc.addTransceiver('audio', {direction: 'recvonly'});
  if (options.video) {
    offerOnly(pc.addTransceiver('video', {direction: 'recvonly'}),
      RTCRtpReceiver.getCapabilities('video'), options.codec);
  }
  pc.ontrack = ({track}) => {
    stream.addTrack(track);
    video.srcObject = stream;
    video.play().catch(() => {});
  };
  let firstFrame = NaN;
  video.requestVideoFrameCallback(() => {
    firstFrame = wall();
  });
  const latency = options.latency ? watchLatency(video) : null;
  const control = options.control ? await direct(stampedCanvas(options)) : null;
  const fps = [];
  let decoded = 0;
  const {report, times} = await live(pc, options, async () => {
    const frames = inbound(await statistics(pc), 'video')?.framesDecoded ?? 0;
    fps.push(frames - decoded);
    decoded = frames;
  });
  report.first_frame_ms = Number.isFinite(firstFrame) ? Math.round(firstFrame - times.post) : null;
  if (control) report.control = inbound(await statistics(control), 'video');
  return {...report, fps, latency_ms: latency?.report()};
}

export async function whip(options) {
  const stream = options.source === 'canvas' ? stampedCanvas(options)
    : await navigator.mediaDevices.getUserMedia({audio: options.audio, video: options.video && {
      width: options.width, height: options.height, frameRate: options.fps}});
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const layers = [{rid: 'q', scaleResolutionDownBy: 4}, {rid: 'h', scaleResolutionDownBy: 2},
    {rid: 'f'}];
  for (const track of stream.getTracks()) {
    if (!options[track.kind]) continue;
    const isVideo = track.kind === 'video';
    const transceiver = pc.addTransceiver(track, {direction: 'sendonly', streams: [stream],
      sendEncodings: isVideo && options.simulcast ? layers : [{}]});
    if (isVideo) offerOnly(transceiver, RTCRtpSender.getCapabilities('video'), options.codec);
  }
  const fps = [];
  let encoded = 0;
  const {report} = await live(pc, options, async () => {
    const sent = outbound(await statistics(pc)).filter(entry => entry.kind === 'video');
    const frames = Math.max(0, ...sent.map(entry => entry.framesEncoded ?? 0));
    fps.push(frames - encoded);
    encoded = frames;
  });
  return {...report, fps};
}

function stampedCanvas({width, height, fps}) {
  const canvas = document.querySelector('canvas');
  const context = canvas.getContext('2d');
  [canvas.width, canvas.height] = [width, height];
  let number = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${number % 360}, 50%, 50%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#222';
    context.fillRect((number * 7) % width, height / 2, 60, 60);
    drawStamp(context, wall(), number++);
  }, 1000 / fps);
  const stream = canvas.captureStream(fps);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const output = audio.createMediaStreamDestination();
  tone.connect(output);
  tone.start();
  stream.addTrack(output.stream.getAudioTracks()[0]);
  return stream;
}
