"""Confirmation (报名确认): on site, online, automatic."""
