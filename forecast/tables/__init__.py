"""A file becomes a Panel: read, columns recognised, times put on a calendar, checked, repaired."""

from forecast.tables.doors import is_tabbed, is_there
from forecast.tables.reading import Reading, output_names, read_panel

__all__ = ["Reading", "is_tabbed", "is_there", "output_names", "read_panel"]
