"""Speaking with WeChat: its endpoints (`client`), what it pushes (`events`), who scanned or consented (`web`), and what
becomes of somebody who comes back from there (`adapter`). The apps that allauth knows are in `accounts.provider`.
"""
