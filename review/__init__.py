"""Qualification review (资格审查): by the exam point first, by the region last."""
