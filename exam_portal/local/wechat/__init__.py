"""A WeChat of our own on this machine: what the portal uses of the real one, as its public documentation describes it.

`people.py` is who there is and what they received, `api.py` the endpoints, `push.py` what WeChat tells the portal of
itself, `pages.py` what a browser sees, `server.py` the process.
"""
