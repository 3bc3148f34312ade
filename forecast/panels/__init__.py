"""Panels of many series on a regular time axis: values, calendar, windows, features, scaling."""
