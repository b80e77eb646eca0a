// Shows the frame that the sliders set, over the picture; dragging the frame moves the sliders. Without script there
// are three cuts to choose from.
(() => {
  const begin = () => {
    const section = document.getElementById('frame')
    if (!section || section.dataset.begun) return
    section.dataset.begun = '1'
    section.hidden = false
    const canvas = section.querySelector('.frame-canvas')
    const box = canvas.querySelector('.frame-box')
    const { width, height, ratio } = canvas.dataset
    const slider = (name) => section.querySelector(`[name=${name}]`)
    const draw = () => {
      const [x, y, wide, angle] = ['x', 'y', 'width', 'angle'].map((name) => Number(slider(name).value))
      const tall = wide / Number(ratio)
      Object.assign(box.style, {
        left: `${((x - wide / 2) / width) * 100}%`,
        top: `${((y - tall / 2) / height) * 100}%`,
        width: `${(wide / width) * 100}%`,
        height: `${(tall / height) * 100}%`,
        transform: `rotate(${angle}deg)`,
      })
    }
    section.addEventListener('input', draw)
    box.addEventListener('pointerdown', (start) => {
      const scale = width / canvas.clientWidth
      const [x, y] = [Number(slider('x').value), Number(slider('y').value)]
      const move = (now) => {
        slider('x').value = x + (now.clientX - start.clientX) * scale
        slider('y').value = y + (now.clientY - start.clientY) * scale
        draw()
      }
      box.setPointerCapture(start.pointerId)
      box.addEventListener('pointermove', move)
      box.addEventListener('pointerup', () => box.removeEventListener('pointermove', move), { once: true })
    })
    draw()
  }
  begin()
  document.body.addEventListener('htmx:afterSwap', begin)
})()
