"""The portal on one machine: install what is missing, run private servers, the demo and the tests.

Only this package starts processes. It knows no app: what it needs of them it asks through
`manage.py` commands.
"""
