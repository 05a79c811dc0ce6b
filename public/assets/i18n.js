// Words. What stands in the HTML is English and is translated in place; the rest is here.

const english = {
  copy: 'Copy', copied: 'Copied', notCopied: 'Select and copy', cancel: 'Cancel', ok: 'OK',
  secret: 'Key', theme: 'Theme', 'theme-auto': 'as the system', 'theme-light': 'light',
  'theme-dark': 'dark', open: 'Open', or: 'or', skip: 'Skip to the content',
  'all-streams': 'All streams', 'publish-this': 'Publish here', 'watch-this': 'Watch it',
  listTitle: 'Key needed',
  listText: 'The list of streams is for those who may watch. The read key and the admin token were '
    + 'shown at the first start and are kept in the gateway’s state directory.',
  keyTitle: 'Key needed',
  publishKeyText: 'Publishing needs the publish key. It was shown at the first start of the '
    + 'gateway and is kept in its state directory.',
  playKeyText: 'This stream is not open to everybody. Ask its owner for a key.',

  live: 'Live', waiting: 'No publisher', watch: 'Watch', viewers: '{count} watching',
  viewer: '1 watching', upFor: 'for {time}', by: 'from {protocol}', linesFor: 'Links',
  noPreview: 'This browser has no {codec} in WebRTC',
  hover: 'Point here for a preview', listHidden: 'The list of streams needs a key.',
  enterToken: 'Enter the key', streamsCount: '{count} streams', streamsOne: '1 stream',
  advertised: 'Viewers are told to reach the gateway at:',
  noAddresses: 'The gateway has not said where it can be reached.',
  reachable: 'Advertised addresses', stale: 'The gateway does not answer. Trying again …',
  token: 'Bearer token', server: 'Server', streamKey: 'Stream key', webpage: 'Web page',
  version: 'version {version}',

  connecting: 'Connecting …', connected: 'Playing', interrupted: 'Connection interrupted …',
  restarting: 'Looking for a new path …', stopped: 'Stopped', failed: 'Cannot go on',
  again: 'Trying again',
  retrying: '{title}. Next try in {seconds} s.', inactive: 'The publisher is away; waiting for it.',
  fallbackOn: 'Playing as {kind}', tapToPlay: 'Press play to begin',
  unmute: 'Turn sound on', mute: 'Turn sound off', pause: 'Pause', play: 'Play',
  full: 'Full screen', leaveFull: 'Leave full screen', picture: 'Picture in picture',
  automatic: 'Automatic', webrtc: 'WebRTC',
  noFreeze: 'none', freezeLine: '{time}  {seconds} s: {reason}',
  freezeSilence: 'nothing arrived; publisher or network paused',
  freezeLoss: 'packets were lost and did not come in time',
  freezeKey: 'waiting for a key frame', freezeDevice: 'this device decodes too slowly',
  freezeJitter: 'the network delivers unevenly', freezeLate: 'pictures came late',
  latencyExact: 'from the camera’s clock to this screen',
  latencyEstimate: 'estimate: from the gateway to this screen',
  session: 'Session', channelOpen: 'Connected', channelClosed: 'Not connected',
  echoed: 'Echo came back after {time}.',

  start: 'Start publishing', stop: 'Stop', publishing: 'Publishing', ready: 'Ready',
  opening: 'Opening the source …', muteMic: 'Mute sound', unmuteMic: 'Sound on',
  hideCamera: 'Hide picture', showCamera: 'Show picture',
  insecure: 'Browsers give camera and screen only to pages on HTTPS or localhost. Here only the '
    + 'test pattern can be published.',
  noScreen: 'This browser cannot share its screen.',
  device: 'Device {number}', auto: 'automatic', limited: 'limited by {reason}',
  cpu: 'this computer', bandwidth: 'the network', other: 'something else',
  sourceEnded: 'The source has ended: {label}',

  'title.unreachable': 'The gateway does not answer.',
  'fix.unreachable': 'Is it running, and is this address right?',
  'title.no-path': 'No media path could be found.',
  'fix.no-path': 'Signalling works, media does not: check that UDP and TCP port 8000 are open, '
    + 'and that webrtc.advertise names an address that can be reached from here.',
  'title.session-ended': 'The gateway has ended the session.',
  'title.no-webrtc': 'This browser has no WebRTC.',
  'fix.no-webrtc': 'Use a current Chrome, Edge, Firefox or Safari.',
  'title.NotAllowedError': 'The browser did not give access.',
  'fix.NotAllowedError': 'Allow camera, microphone or screen for this page and try again.',
  'title.NotFoundError': 'There is no such device.',
  'fix.NotFoundError': 'Choose another source, or the test pattern.',
  'title.NotReadableError': 'The device is in use by another program.',
};

const chinese = {
  copy: '复制', copied: '已复制', notCopied: '请手动复制', cancel: '取消', ok: '确定',
  secret: '密钥', theme: '主题', 'theme-auto': '跟随系统', 'theme-light': '浅色',
  'theme-dark': '深色', open: '打开', or: '或', skip: '跳到主要内容',
  'all-streams': '全部直播', 'publish-this': '推送此流', 'watch-this': '观看此流',
  listTitle: '需要密钥',
  listText: '流列表仅对有观看权限者开放。观看密钥和管理令牌在首次启动时显示，并保存在网关的状态目录中。',
  keyTitle: '需要密钥',
  publishKeyText: '推流需要推流密钥。它在网关首次启动时显示，并保存在状态目录中。',
  playKeyText: '该流未对所有人开放，请向其所有者索取密钥。',

  live: '直播中', waiting: '无推流端', watch: '观看', viewers: '{count} 人观看',
  viewer: '1 人观看', upFor: '已播 {time}', by: '来自 {protocol}', linesFor: '链接',
  noPreview: '此浏览器的 WebRTC 不支持 {codec}', hover: '移到此处预览',
  listHidden: '查看流列表需要密钥。', enterToken: '输入密钥',
  streamsCount: '{count} 路流', streamsOne: '1 路流',
  advertised: '观众将通过以下地址连接网关：', noAddresses: '网关未公布可达地址。',
  reachable: '公布的地址', stale: '网关无响应，正在重试……',
  token: 'Bearer 令牌', server: '服务器', streamKey: '推流码', webpage: '网页',
  version: '版本 {version}',

  connecting: '连接中……', connected: '播放中', interrupted: '连接中断……',
  restarting: '正在寻找新路径……', stopped: '已停止', failed: '无法继续',
  again: '重试中', retrying: '{title}。{seconds} 秒后重试。', inactive: '推流端已离开，等待其恢复。',
  fallbackOn: '正以 {kind} 播放', tapToPlay: '请点击播放',
  unmute: '打开声音', mute: '静音', pause: '暂停', play: '播放',
  full: '全屏', leaveFull: '退出全屏', picture: '画中画', automatic: '自动', webrtc: 'WebRTC',
  noFreeze: '无', freezeLine: '{time}  {seconds} 秒：{reason}',
  freezeSilence: '没有数据到达，推流端或网络中断', freezeLoss: '丢包且未及时补回',
  freezeKey: '等待关键帧', freezeDevice: '本机解码过慢',
  freezeJitter: '网络抖动', freezeLate: '画面到达过晚',
  latencyExact: '从摄像机时钟到本屏幕', latencyEstimate: '估计值：从网关到本屏幕',
  session: '会话', channelOpen: '已连接', channelClosed: '未连接', echoed: '回声往返 {time}。',

  start: '开始推流', stop: '停止', publishing: '推流中', ready: '就绪',
  opening: '正在打开来源……', muteMic: '关闭声音', unmuteMic: '打开声音',
  hideCamera: '隐藏画面', showCamera: '显示画面',
  insecure: '浏览器只向 HTTPS 或 localhost 页面开放摄像头和屏幕，此处只能推送测试图。',
  noScreen: '此浏览器不能共享屏幕。', device: '设备 {number}', auto: '自动',
  limited: '受限于{reason}', cpu: '本机性能', bandwidth: '网络带宽', other: '其他原因',
  sourceEnded: '来源已结束：{label}',

  'title.unreachable': '网关无响应。', 'fix.unreachable': '请确认网关正在运行且地址正确。',
  'title.no-path': '未能建立媒体通路。',
  'fix.no-path': '信令正常但媒体不通：请检查 UDP 和 TCP 8000 端口是否开放，'
    + '以及 webrtc.advertise 中的地址从此处是否可达。',
  'title.session-ended': '网关结束了会话。',
  'title.no-webrtc': '此浏览器不支持 WebRTC。',
  'fix.no-webrtc': '请使用最新的 Chrome、Edge、Firefox 或 Safari。',
  'title.NotAllowedError': '浏览器未授予权限。',
  'fix.NotAllowedError': '请允许本页使用摄像头、麦克风或屏幕后重试。',
  'title.NotFoundError': '没有该设备。', 'fix.NotFoundError': '请选择其他来源或测试图。',
  'title.NotReadableError': '设备正被其他程序占用。',

  'title.unauthorized': '缺少凭据或凭据错误', 'fix.unauthorized': '请输入密钥',
  'title.forbidden': '该凭据无此权限', 'title.hook-refused': '鉴权回调拒绝了请求',
  'title.origin-refused': '不允许此页面来源', 'fix.origin-refused': '请用页面自身的地址打开',
  'title.bad-name': '流名称无效', 'fix.bad-name': '请使用字母、数字和 _ . ~ -，形如 app/stream',
  'title.bad-sdp': '会话描述被拒绝', 'title.not-found': '此处没有内容',
  'title.stream-not-found': '没有该流', 'fix.stream-not-found': '请检查名称，或先开始推流',
  'title.stream-not-live': '该流尚无人推送', 'fix.stream-not-live': '请先开始推流',
  'title.stream-taken': '该流正由他人推送', 'fix.stream-taken': '请先停止另一个推流端',
  'title.codec-not-carried': '此输出不支持该流的编码', 'fix.codec-not-carried': '请推送 H.264 与 AAC',
  'title.no-common-codec': '双方没有共同的编码', 'fix.no-common-codec': '请使用 H.264 或 VP8，以及 Opus',
  'title.tracks-unsupported': '无法提供这些轨道', 'title.source-failed': '该流的来源失败',
  'fix.source-failed': '请检查来源地址', 'title.too-many-sessions': '来自该地址的会话过多',
  'fix.too-many-sessions': '请关闭一些或稍候', 'title.overloaded': '网关已达上限',
  'fix.overloaded': '请稍后重试', 'title.shutting-down': '网关正在关闭',
  'fix.shutting-down': '请重试', 'title.not-enabled': '该接口未启用',
  'fix.not-enabled': '请在配置中启用', 'title.internal-error': '网关内部出错',
  'fix.internal-error': '请附上日志反馈',
};

/** The Chinese of what stands in the HTML, by `data-i18n`. */
const chinesePage = {
  streams: '直播流', 'open-title': '打开或推送', 'open-name': '流名称',
  'open-watch': '观看', 'open-publish': '推流', addresses: '网络', refresh: '刷新',
  'empty-title': '还没有直播',
  'empty-text': '从浏览器推一路流试试，或让 OBS、ffmpeg 指向本网关：',
  'empty-pattern': '推送测试图', 'lines-title': '推流与播放地址', 'forget-token': '忘记密钥',
  latency: '延迟', resolution: '分辨率', rate: '码率', loss: '丢包', rtt: '往返时间',
  freezes: '卡顿', buffer: '缓冲', codecs: '编码', path: '路径', decode: '解码',
  statistics: '统计', 'freeze-log': '卡顿及原因', 'chat-title': '聊天与回声（数据通道）',
  'chat-hint': '打开本面板会以数据通道重新连接。',
  'chat-hint-publish': '您的消息会发给所有观众。',
  message: '消息', send: '发送', 'send-echo': '测试回声', layer: '画质层', via: '方式',
  source: '来源', camera: '摄像头', screen: '屏幕', pattern: '测试图', microphone: '麦克风',
  size: '分辨率', fps: '帧率', codec: '视频编码', bitrate: '码率上限', simulcast: '联播（三层画质）',
  sound: '带声音', key: '推流密钥', 'key-hint': '仅在网关要求时需要。', preview: '预览',
  'play-link': '观看链接', encode: '编码耗时', sending: '发送', 'lost-there': '对端丢包',
  quality: '质量',
  settings: '设置', noscript: '此页面需要 JavaScript。', layers: '各层',
};

const tables = {en: english, zh: chinese};
let current = 'en';
const originals = new WeakMap();

export const language = () => current;

export function setLanguage(tag) {
  current = String(tag).toLowerCase().startsWith('zh') ? 'zh' : 'en';
  document.documentElement.lang = current === 'zh' ? 'zh-CN' : 'en';
}

export const has = key => key in tables[current] || (current === 'en' && key in english);

/** The words of a key, with `{values}` put in. */
export function t(key, values = {}) {
  const words = tables[current][key] ?? english[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Translates what stands in the HTML: text, and the label of what has no text. */
export function translate(root) {
  for (const element of root.querySelectorAll('[data-i18n]')) {
    const key = element.dataset.i18n;
    if (!originals.has(element)) originals.set(element, element.textContent);
    element.textContent = current === 'zh' ? chinesePage[key] ?? key : originals.get(element);
  }
  for (const element of root.querySelectorAll('[data-label]')) {
    if (!originals.has(element)) originals.set(element, element.getAttribute('aria-label'));
    element.setAttribute('aria-label',
      current === 'zh' ? chinesePage[element.dataset.label] : originals.get(element));
  }
}
