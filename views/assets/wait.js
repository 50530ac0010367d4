// Waits for the decision on a request: hears of it at once, asks from time to time where it cannot listen.

const { events, state } = document.getElementById('wait').dataset;
const FIRST_MS = 3000;
const LONGEST_MS = 15000;
let pause = FIRST_MS;

const goOn = () => location.reload();

const listen = () => {
  const source = new EventSource(events);
  source.addEventListener('open', () => {
    pause = FIRST_MS;
  });
  source.addEventListener('changed', () => {
    source.close();
    goOn();
  });
  // The browser takes up again by itself what has only ended, not what was refused.
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(ask, pause);
  });
  addEventListener('pagehide', () => source.close(), { once: true });
};

const ask = async () => {
  pause = Math.min(pause * 1.5, LONGEST_MS);
  try {
    const answer = await fetch(state, { headers: { accept: 'application/json' }, cache: 'no-store' });
    if (answer.status < 500 && (await answer.json()).state !== 'open') return goOn();
  } catch {
    // Away for a moment: asked again like the rest.
  }
  listen();
};

listen();
