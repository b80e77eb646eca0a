from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts.wechat.checks import check_wechat

        register(check_wechat, deploy=True)
