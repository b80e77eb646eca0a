from importlib import import_module

from django.apps import apps
from django.contrib.admin.apps import SimpleAdminConfig
from django.core.checks import register
from django.utils.module_loading import module_has_submodule


class StaffAdminConfig(SimpleAdminConfig):
    """Django admin with our site as the default one, and on it our apps' pages only, not those that libraries bring."""

    default_site = "exam_portal.staff.site.StaffSite"

    def ready(self) -> None:
        super().ready()
        for name in ("accounts", "registration", "confirmation", "review"):
            if module_has_submodule(apps.get_app_config(name).module, "admin"):
                import_module(f"{name}.admin")
        from exam_portal.staff.checks import check_scopes

        register(check_scopes)
