// Mails stand in frames in which nothing runs; the page gives each the height of its text.

export function fit(root) {
  for (const frame of root.querySelectorAll('iframe.mail-body:not([data-fit])')) {
    frame.dataset.fit = ''
    frame.addEventListener('load', () => measure(frame))
    if (frame.contentDocument?.readyState === 'complete') measure(frame)
  }
}

function measure(frame) {
  const inner = frame.contentDocument
  if (!inner?.body || inner.URL === 'about:blank') return
  const set = () => {
    frame.style.height = `${Math.ceil(inner.documentElement.getBoundingClientRect().height)}px`
  }
  set()
  new ResizeObserver(set).observe(inner.documentElement)
}

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-pictures]')) event.target.closest('.mail-blocked').hidden = true
})
