// The lines people paste into OBS, ffmpeg and VLC.
import {copyLine, nameInPath} from './ui.js';
import {t} from './i18n.js';

const atPort = (scheme, port, normal) =>
  `${scheme}://${location.hostname}${port === normal ? '' : `:${port}`}`;

/** How to publish a name. KEY stands for the publish key; the page never writes it out. */
export function publishLines(name, info = {}) {
  const whip = `${location.origin}/whip/${nameInPath(name)}`;
  const {rtmp, srt, rtsp} = info.ports ?? {};
  const [app, ...rest] = name.split('/');
  const lines = [[`OBS · WHIP · ${t('server')}`, whip], [`OBS · WHIP · ${t('token')}`, 'KEY']];
  if (rtmp) {
    lines.push([`OBS · RTMP · ${t('server')}`, `${atPort('rtmp', rtmp, 1935)}/${app}`],
      [`OBS · RTMP · ${t('streamKey')}`, `${rest.join('/')}?token=KEY`]);
  }
  lines.push(['ffmpeg ≥ 8 · WHIP', 'ffmpeg -re -i input.mp4 -c:v libx264 -profile:v baseline -bf 0 '
    + `-c:a libopus -ar 48000 -ac 2 -f whip -authorization KEY ${whip}`]);
  if (rtmp) {
    lines.push(['ffmpeg · RTMP', 'ffmpeg -re -i input.mp4 -c copy -f flv '
      + `'${atPort('rtmp', rtmp, 1935)}/${name}?token=KEY'`]);
  }
  if (rtsp) {
    lines.push(['ffmpeg · RTSP', 'ffmpeg -re -i input.mp4 -c copy -f rtsp -rtsp_transport tcp '
      + `'${atPort('rtsp', rtsp, 554)}/${name}?token=KEY'`]);
  }
  if (srt) {
    lines.push(['ffmpeg · SRT', 'ffmpeg -re -i input.mp4 -c copy -f mpegts '
      + `'${atPort('srt', srt)}?streamid=publish:${name}?token=KEY&pkt_size=1316'`]);
  }
  return lines.map(([label, text]) => copyLine(label, text));
}

const playedByVLC = new Set(['flv', 'fmp4', 'hls', 'ts']);

/** How to watch a name with something else than this page. */
export function watchLines(name, info = {}) {
  const path = nameInPath(name);
  const {rtmp, srt, rtsp} = info.ports ?? {};
  const lines = [[t('webpage'), `${location.origin}/play/${path}`],
    ['WHEP', `${location.origin}/whep/${path}`]];
  for (const output of info.outputs ?? []) {
    if (!playedByVLC.has(output.kind)) continue;
    lines.push([`VLC · ${output.kind.toUpperCase()}`,
      `vlc ${location.origin}${output.path.replace('{name}', path)}`]);
  }
  if (rtsp) {
    lines.push(['VLC · RTSP', `vlc ${atPort('rtsp', rtsp, 554)}/${path}`],
      ['ffplay · RTSP', `ffplay -fflags nobuffer ${atPort('rtsp', rtsp, 554)}/${path}`]);
  }
  if (rtmp) lines.push(['ffplay · RTMP', `ffplay ${atPort('rtmp', rtmp, 1935)}/${path}`]);
  if (srt) lines.push(['ffplay · SRT', `ffplay '${atPort('srt', srt)}?streamid=read:${name}'`]);
  return lines.map(([label, text]) => copyLine(label, text));
}
