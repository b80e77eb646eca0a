// Asks every few seconds whether what the page waits for has come, and then shows the page anew; for ten minutes.
(() => {
  const address = document.querySelector('[data-waiting]').dataset.waiting
  let left = 150
  const look = async () => {
    if (left-- === 0) return
    try {
      const answer = document.hidden ? null : await fetch(`${address}?waiting`)
      if (answer?.ok && answer.status !== 204) {
        // At another address, or it would not load; to its content, which is read out then.
        window.location.replace(`${address}?come#main`)
        return
      }
    } catch {
      // no network for a moment: the next look may have it
    }
    setTimeout(look, 4000)
  }
  setTimeout(look, 4000)
})()
