"""Speaking with WeChat: its endpoints (`client`), what it pushes (`events`), signing in and binding (`provider`)."""
