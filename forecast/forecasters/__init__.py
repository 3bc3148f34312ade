"""Everything that can forecast, all of one form: fit, run, shapes."""
