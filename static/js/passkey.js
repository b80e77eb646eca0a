// Joins the form of a passkey with django-allauth's script, which asks the browser for one and sends the form.
(() => {
  const form = document.querySelector('[data-passkey]')
  const button = form.querySelector('button')
  const ids = { add: button.id, authenticate: button.id, credential: form.elements.credential.id }
  const options = JSON.parse(form.dataset.options)
  button.addEventListener('click', (event) => {
    if (!form.reportValidity()) event.stopImmediatePropagation() // no passkey is made for a form that would be refused
  })
  window.allauth.webauthn.forms[form.dataset.passkey]({ ids, data: { creation_options: options, request_options: options } })
  button.hidden = false
  document.addEventListener('allauth.error', (event) => {
    event.preventDefault()
    form.querySelector('[role=alert]').hidden = false
  })
})()
