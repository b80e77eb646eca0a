"""Many candidates and applications at once, by SQL, for what shows only at size."""

from django.db import connection

from exam_portal.kit import crypto
from registration.models import Exam
from tests import factories

_PEOPLE = """
    INSERT INTO accounts_user (password, is_superuser, username, email, kind, is_active, is_staff, date_joined)
    SELECT '!', false, 'filled' || n, '', 'candidate', true, false, %(at)s
    FROM generate_series(1, %(total)s) n ORDER BY md5(n::text);

    INSERT INTO accounts_candidate
        (user_id, name, id_type, id_number, id_digest, sex, channel, notice_version, registered_at)
    SELECT id, '考生' || translate(substr(username, 7), '0123456789', '零一二三四五六七八九'), 'resident_id',
        %(id_number)s, username, 'F', 'web', '2023-11', %(at)s
    FROM accounts_user WHERE username LIKE 'filled%%' ORDER BY id;

    INSERT INTO accounts_basicinformation
        (candidate_id, ethnicity, mobile, address, postcode, employer, employer_kind, workplace, updated_at)
    SELECT id, '汉族', (13900000000 + substr(id_digest, 7)::int)::text, '', '', '', '', '', %(at)s
    FROM accounts_candidate WHERE id_digest LIKE 'filled%%';
"""
_APPLICATIONS = """
    INSERT INTO registration_application
        (candidate_id, exam_id, exam_region_id, point_id, number, state, version, channel, subjects, last_transition,
         photo_digest, created_at)
    SELECT id, %(exam)s, %(exam_region)s, %(point)s, id_digest, 'draft', 0, 'web', '{}', '', '', %(at)s
    FROM accounts_candidate
    WHERE id_digest LIKE 'filled%%' AND substr(id_digest, 7)::int BETWEEN %(first)s AND %(last)s ORDER BY id;
"""
_TABLES = (
    "accounts_region, accounts_point, accounts_site, registration_examregion, accounts_user, accounts_candidate, "
    "accounts_basicinformation, registration_application"
)


def fill(exam: Exam, applying: dict[str, int], *, nowhere: int = 0) -> None:
    """So many candidates with an application at each exam point, and some without any, in a mixed order.

    They are called 考生一 and on, those of the first point first, with mobile telephones 13900000001 and on. Call it
    once in a test.
    """
    everybody = {"at": exam.opens_at, "total": sum(applying.values()) + nowhere}
    last = 0
    with connection.cursor() as cursor:
        # Without triggers and foreign keys, each of which would be asked for each row.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_PEOPLE, {**everybody, "id_number": crypto.encrypt(factories.resident_id(1))})
        for point, count in applying.items():
            first, last = last + 1, last + count
            place = {"exam": exam.pk, "exam_region": exam.regions.get(region__points=point).pk, "point": point}
            cursor.execute(_APPLICATIONS, {**everybody, **place, "first": first, "last": last})
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute(f"ANALYZE {_TABLES}")
