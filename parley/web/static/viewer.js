// Pictures at their full size, and what stands in for one that does not load.

import { $ } from './page.js'

export function start() {
  const dialog = $('#viewer')
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-view]')
    if (link && !link.matches('.lost') && !event.metaKey && !event.ctrlKey) {
      event.preventDefault()
      const picture = $('img', dialog)
      picture.src = link.href
      picture.alt = $('img', link).alt
      $('p a', dialog).href = link.href
      dialog.showModal()
    } else if (event.target.matches('dialog')) {
      event.target.close()
    }
  })
  dialog.addEventListener('close', () => $('img', dialog).removeAttribute('src'))
  addEventListener('error', (event) => event.target.matches?.('.picture img') && lose(event.target), true)
  for (const picture of document.querySelectorAll('.picture img')) {
    if (picture.complete && !picture.naturalWidth && picture.getAttribute('loading') !== 'lazy') lose(picture)
  }
}

function lose(picture) {
  const link = picture.parentNode
  link.classList.add('lost')
  link.textContent = `${picture.alt} could not be loaded`
}
