"""Photos for the exam: reading what was uploaded, checking it, cutting it.

Pure functions over bytes and pictures: nothing here knows the database or the language of whoever asks. The rules come
in as a value (`PhotoRules`), the findings go out as one (`Report`). Only the worker imports what needs the detector.
"""
