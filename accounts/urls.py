"""Pages of the accounts app; allauth's own views keep allauth's names (exam_portal.urls)."""

from django.urls import path

from accounts.views import profile, registering

app_name = "accounts"

urlpatterns = [
    path("notice/", registering.notice, name="notice"),
    path("basic-information/", profile.basic_information, name="basic_information"),
    path("education/", profile.education, name="education"),
    path("wechat/", profile.wechat, name="wechat"),
    path("inbox/", profile.inbox, name="inbox"),
]
