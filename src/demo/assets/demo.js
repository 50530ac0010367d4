/** Copy buttons, and codes that renew themselves; every page works without this file too. */

for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.innerHTML;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = 'Copied';
    setTimeout(() => {
      button.innerHTML = label;
    }, 1_500);
  });
}

// A change made elsewhere shows by itself.
const waiting = document.querySelector('[data-look-again]');
if (waiting) setTimeout(() => location.reload(), waiting.dataset.lookAgain * 1000);

const codes = [...document.querySelectorAll('[data-left]')];
if (codes.length > 0) {
  const loaded = performance.now();
  const field = document.querySelector('#key');
  const tick = setInterval(() => {
    const passed = (performance.now() - loaded) / 1000;
    let isOver = false;
    for (const code of codes) {
      const left = Math.max(0, Math.ceil(Number(code.dataset.left) - passed));
      const countdown = code.parentElement.querySelector('[data-countdown]');
      if (countdown) countdown.textContent = String(left);
      if (left === 0) isOver = true;
    }
    // A key that is being typed is not thrown away; its reader sees "0 seconds left" instead.
    if (isOver && field?.value === '') {
      clearInterval(tick);
      location.reload();
    }
  }, 500);
}
