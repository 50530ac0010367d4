// Parts of a page that change by themselves. What carries `data-live` (seconds) is asked for again at the page's own address and
// replaced where `data-state` differs; the rest of the page, and what is typed there, stays.
import { dress } from './page.js';

const LONGEST_SECONDS = 90;

const visible = () =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve();
    document.addEventListener('visibilitychange', resolve, { once: true });
  });

const follow = (part, fresh) => {
  if (!fresh) return part.removeAttribute('data-live');
  // The part itself stays in the page: a live region that is put in anew is not read out.
  if (fresh.dataset.state !== part.dataset.state) {
    part.className = fresh.className;
    part.replaceChildren(...fresh.childNodes);
    dress(part);
  }
  part.dataset.state = fresh.dataset.state;
  if (fresh.dataset.live) part.dataset.live = fresh.dataset.live;
  else part.removeAttribute('data-live');
};

const watch = async (id) => {
  const part = document.getElementById(id);
  let left = LONGEST_SECONDS;
  while (left > 0 && part.dataset.live) {
    const pause = Number(part.dataset.live);
    left -= pause;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
    await visible();
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' });
      if (!answer.ok) continue;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      follow(part, page.getElementById(id));
    } catch {
      // Away for a moment: asked again like the rest.
    }
  }
};

for (const { id } of document.querySelectorAll('[data-live]')) watch(id);
