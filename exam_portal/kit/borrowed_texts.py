"""Texts of Django and allauth that candidates read, listed so that our catalogues word them.

Their own Chinese is missing in places, and elsewhere speaks of variables and tokens. Nothing imports this list: only
`manage.py catalogues` reads it, and a test that each text is still one of theirs.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

TEXTS = [
    # Fields
    gettext_noop("This field is required."),
    gettext_noop("Enter a valid value."),
    gettext_noop("Null characters are not allowed."),
    gettext_noop("Select a valid choice. %(value)s is not one of the available choices."),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
        "limit_value",
    ),
    # Passwords
    gettext_noop("The password is too similar to the %(verbose_name)s."),
    ngettext_lazy(
        "This password is too short. It must contain at least %d character.",
        "This password is too short. It must contain at least %d characters.",
    ),
    gettext_noop("This password is too common."),
    gettext_noop("You must type the same password each time."),
    # Signing in and out
    gettext_noop("Successfully signed in as %(name)s."),
    gettext_noop("You have signed out."),
    gettext_noop("This account is currently inactive."),
    gettext_noop("Username can not be used. Please use other username."),
]
