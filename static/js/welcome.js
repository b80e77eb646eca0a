// The part of the link behind the “#” goes into the form, and out of the address.
(() => {
  const code = window.location.hash.slice(1)
  if (!code) return
  document.getElementById('id_code').value = code
  window.history.replaceState(null, '', window.location.pathname)
})()
