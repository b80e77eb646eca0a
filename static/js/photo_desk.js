// Deciding photos by keyboard. Without script every card has its own buttons and one button sends them all.
(() => {
  const desk = document.getElementById('photo-desk')
  const cards = [...desk.querySelectorAll('.photo-card')]
  const send = desk.querySelector('button[formaction]')
  const at = () => cards.indexOf(document.activeElement?.closest?.('.photo-card'))
  const go = (index) => {
    const card = cards[Math.max(0, Math.min(cards.length - 1, index))]
    card?.focus()
    card?.scrollIntoView({ block: 'nearest' })
  }
  const decide = (card, value) => {
    for (const choice of card.querySelectorAll('[type=radio]')) choice.checked = choice.value === value
    mark(card)
  }
  const mark = (card) => {
    card.dataset.decided = card.querySelector('[type=radio]:checked')?.value ?? ''
  }
  desk.addEventListener('change', (event) => mark(event.target.closest('.photo-card')))
  cards.forEach(mark)
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.ctrlKey) {
      send?.click()
      return
    }
    const typing = event.target.matches('input[type=text]')
    if (typing && event.key === 'Escape') go(at())
    if (typing || event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input:not([type=radio]), select')) return
    const card = cards[at()]
    const key = event.key.toLowerCase()
    if (key === 'j') go(at() + 1)
    else if (key === 'k') go(at() - 1)
    else if (card && key === 'a') {
      decide(card, 'accept')
      go(at() + 1)
    } else if (card && key === 'u') decide(card, '')
    else if (card && key === 'r') {
      decide(card, 'refuse')
      card.querySelector('input[type=text]')?.focus()
      event.preventDefault()
    } else return
  })
  go(0)
})()
