// A clock for pages that nobody looks at: browsers slow the timers of hidden tabs down to one a
// second, those of workers not.
let timer = 0;
addEventListener('message', ({data: interval}) => {
  clearInterval(timer);
  timer = setInterval(() => postMessage(0), interval);
});
