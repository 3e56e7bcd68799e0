"""What a checker of accessibility would look for, to be run in the page."""

# Texts whose contrast to what is behind them is too weak.
CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1)
        canvas.fillStyle = colour
        canvas.fillRect(0, 0, 1, 1)
        return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    const over = ([r, g, b, a], [R, G, B]) => [r, g, b].map((c, n) => (c * a + [R, G, B][n] * (255 - a)) / 255)
    const behind = (one) => {
        const layers = []
        for (let up = one; up; up = up.parentElement) {
            const colour = rgba(getComputedStyle(up).backgroundColor)
            if (colour[3]) layers.push(colour)
            if (colour[3] === 255) break
        }
        return layers.reverse().reduce((base, layer) => over(layer, base), rgba('Canvas'))
    }
    const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4))
        .reduce((sum, c, n) => sum + c * [.2126, .7152, .0722][n], 0)
    const faint = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const one = walker.currentNode.parentElement
        if (!walker.currentNode.textContent.trim() || one.closest('.sr, .skip, template, svg')) continue
        if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
        const style = getComputedStyle(one), base = behind(one)
        const [a, b] = [light(over(rgba(style.color), base)), light(base)].sort((x, y) => y - x)
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700)
        const ratio = (a + .05) / (b + .05)
        if (ratio < (large ? 3 : 4.5)) faint.push({ text: walker.currentNode.textContent.trim().slice(0, 40), ratio, of: one.className })
    }
    return faint
}"""

# What is wrong with names, labels, landmarks, headings, ids and the size of targets.
STRUCTURE = """() => {
    const wrong = []
    const named = (one) => (one.ariaLabel || one.getAttribute('aria-labelledby')?.split(' ')
        .map((id) => document.getElementById(id)?.textContent).join(' ') || one.title
        || [...(one.labels ?? [])].map((label) => label.textContent).join(' ') || one.textContent
        || [...one.querySelectorAll('[aria-label], img[alt]')].map((inner) => inner.ariaLabel ?? inner.alt).join(' ')).trim()
    const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => !one.closest('template'))
    for (const one of all('a[href], button, summary, input:not([type=hidden]), textarea, select, iframe, dialog, [role=region], [role=img]'))
        if (!named(one)) wrong.push(`without a name: ${one.outerHTML.slice(0, 120)}`)
    for (const one of all('img:not([alt])')) if (!one.closest('dialog')) wrong.push(`picture without words: ${one.outerHTML.slice(0, 90)}`)
    for (const one of all('svg')) if (!one.closest('[aria-hidden=true]') && one.getAttribute('role') !== 'img')
        wrong.push(`svg that is neither hidden nor named: ${one.outerHTML.slice(0, 90)}`)
    const ids = all('[id]').map((one) => one.id)
    for (const id of new Set(ids.filter((id, n) => ids.indexOf(id) !== n))) wrong.push(`two of #${id}`)
    for (const one of all('[aria-labelledby], [aria-describedby], [for]'))
        for (const id of (one.getAttribute('aria-labelledby') ?? one.getAttribute('aria-describedby') ?? one.getAttribute('for')).split(' '))
            if (!document.getElementById(id)) wrong.push(`refers to #${id}, which is not there`)
    const levels = all('h1, h2, h3, h4').filter((one) => one.checkVisibility() && !one.closest('dialog')).map((one) => Number(one.tagName[1]))
    if (levels.filter((level) => level === 1).length !== 1) wrong.push(`${levels.filter((l) => l === 1).length} first headings`)
    levels.reduce((before, level) => { if (level > before + 1) wrong.push(`heading ${level} after ${before}`); return level }, 0)
    if (all('main').length !== 1) wrong.push('not one main')
    const landmarks = all('nav, aside, section[aria-label], form[role=search]').map((one) => `${one.tagName} ${named(one).slice(0, 30)}`)
    for (const one of new Set(landmarks.filter((name, n) => landmarks.indexOf(name) !== n))) wrong.push(`two landmarks ${one}`)
    if (document.documentElement.lang !== 'en') wrong.push('no language')
    if (!document.title) wrong.push('no title')
    for (const list of all('ul, ol')) for (const child of list.children) if (child.tagName !== 'LI') wrong.push(`${child.tagName} in a list`)
    for (const one of all('[tabindex]')) if (Number(one.getAttribute('tabindex')) > 0) wrong.push('a positive tabindex')
    for (const one of all('a a, button a, a button')) wrong.push(`interactive within interactive: ${one.outerHTML.slice(0, 80)}`)
    for (const one of all('.row a, .button, .round, .send, .small, .switch span, .tabs a')) {
        const box = one.getBoundingClientRect()
        if (box.width && (box.height < 24 || box.width < 24)) wrong.push(`too small to hit: ${one.outerHTML.slice(0, 80)}`)
    }
    return wrong
}"""
