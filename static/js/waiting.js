// Looks every few seconds whether what the page waits for has come, and then shows the page anew; for ten minutes.
(() => {
  const address = document.querySelector('[data-waiting]').dataset.waiting
  let left = 150
  const look = async () => {
    if (left-- === 0) return
    try {
      const answer = document.hidden ? null : await fetch(address)
      if (answer?.ok && !(await answer.text()).includes('data-waiting')) {
        window.location.replace(address)
        return
      }
    } catch {
      // no network for a moment: the next look may have it
    }
    setTimeout(look, 4000)
  }
  setTimeout(look, 4000)
})()
