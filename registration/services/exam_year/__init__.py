"""Exam years as data: a TOML file a year is planned against, applied to and exported from the database (R01).

- reading: TOML, the file it is based on, where each key stands
- schema: what a file may say, and what is wrong with it
- document: the one shape in which file, database and last applied file are compared
- tables: where the entries live in the database
- plan: the three-way comparison
- apply: writing
- export: the way back
"""

from registration.services.exam_year.apply import Applied, apply_exam_year, plan_exam_year
from registration.services.exam_year.export import export_exam_year
from registration.services.exam_year.plan import Difference, Plan, Verdict
from registration.services.exam_year.reading import SHIPPED, ExamYearRefused, Problem

__all__ = [
    "SHIPPED",
    "Applied",
    "Difference",
    "ExamYearRefused",
    "Plan",
    "Problem",
    "Verdict",
    "apply_exam_year",
    "export_exam_year",
    "plan_exam_year",
]
