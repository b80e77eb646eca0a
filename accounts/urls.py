"""Pages of the accounts app; allauth's own views keep allauth's names (exam_portal.urls)."""

from django.urls import path

from accounts.views import (
    calendar,
    credentials,
    education,
    identity_requests,
    profile,
    recovery,
    registering,
    security,
    two_step,
    wechat,
    welcome,
)

app_name = "accounts"

urlpatterns = [
    path("notice/", registering.notice, name="notice"),
    path("basic-information/", profile.basic_information, name="basic_information"),
    path("education/", education.education, name="education"),
    path("education/<int:record>/", education.correct, name="education_correct"),
    path("credentials/", credentials.credentials, name="credentials"),
    path("credentials/<slug:credential>/", credentials.change, name="credential"),
    path("wechat/", wechat.wechat, name="wechat"),
    path("wechat/unbind/", wechat.unbind, name="wechat_unbind"),
    path("login/wechat/", wechat.sign_in, name="wechat_sign_in"),
    path("inbox/", profile.inbox, name="inbox"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("identity/", identity_requests.notice, name="identity_notice"),
    path("identity/applications/", identity_requests.applications, name="identity_applications"),
    path("identity/applications/<str:number>.pdf", identity_requests.form_pdf, name="identity_form"),
    path("identity/<str:kind>/", identity_requests.regions, name="identity_regions"),
    path("identity/<str:kind>/<str:region_code>/", identity_requests.apply, name="identity_apply"),
    path("security/", security.security, name="security"),
    path("security/email/", security.email, name="email"),
    path("security/email/code/", security.email_code, name="email_code"),
    path("staff/", security.staff_security, name="staff_security"),
    path("staff/password/", security.staff_password, name="staff_password"),
    path("two-step/", two_step.overview, name="two_step"),
    path("two-step/app/", two_step.app, name="two_step_app"),
    path("two-step/passkey/", two_step.passkey, name="two_step_passkey"),
    path("two-step/codes/", two_step.codes, name="two_step_codes"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("recovery/", recovery.begin, name="recovery"),
    path("recovery/question/", recovery.question, name="recovery_question"),
    path("recovery/code/", recovery.code, name="recovery_code"),
    path("recovery/password/", recovery.password, name="recovery_password"),
    path("recovery/exam-points/", recovery.exam_points, name="recovery_exam_points"),
    path("recovery/exam-points/<str:region_code>/", recovery.exam_points, name="recovery_exam_points_of"),
]
