"""A file becomes a Panel: read, columns recognised, times put on a calendar, checked, repaired."""

from forecast.tables.doors import is_tabbed, is_there
from forecast.tables.reading import Reading, id_name, read_panel, time_name

__all__ = ["Reading", "id_name", "is_tabbed", "is_there", "read_panel", "time_name"]
