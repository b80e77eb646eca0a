"""Pages of the registration app."""

from django.urls import path

from registration.views import application, public, steps

app_name = "registration"

urlpatterns = [
    path("regions/<slug:code>/", public.regions, name="regions"),
    path("regions/<slug:code>/<slug:region_code>/", public.region, name="region_notice"),
    path("exams/", application.exams, name="exams"),
    path("exams/<slug:code>/start/", application.start, name="start"),
    path("exams/<slug:code>/", application.overview, name="overview"),
    path("exams/<slug:code>/pledge/", steps.pledge, name="pledge"),
    path("exams/<slug:code>/region/", steps.region, name="region"),
    path("exams/<slug:code>/point/", steps.point, name="point"),
    path("exams/<slug:code>/specialty/", steps.specialty, name="specialty"),
    path("exams/<slug:code>/photo/", steps.photo, name="photo"),
    path("exams/<slug:code>/check/", steps.check, name="check"),
    path("exams/<slug:code>/submit/", application.submit, name="submit"),
    path("exams/<slug:code>/withdraw/", application.withdraw, name="withdraw"),
    path("exams/<slug:code>/form.pdf", application.form_pdf, name="form_pdf"),
]
