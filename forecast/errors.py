"""The errors a user can meet, each with its exit code: the whole tree on one screen.

A message answers three questions: where, what was found, what to do. Its first line says the first two; what follows
the line break is the mend (the `hint` of `--json`).
"""


class ForecastError(Exception):
    """Any failure that `forecast` explains; `exit_code` is what the command leaves with."""

    exit_code = 1

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.message, _, self.hint = text.partition("\n")


class UsageError(ForecastError):
    """Wrong options or configuration, judged without reading rows, or a name that collides."""

    exit_code = 2


class TooManyBadError(ForecastError):
    """More series than allowed fell back or were skipped; the output is written, and says which."""

    exit_code = 3


class ModelNotFoundError(ForecastError):
    """The store holds no such model or version."""

    exit_code = 10


class LockedError(ForecastError):
    """Another run holds the lock."""

    exit_code = 11


class DataError(ForecastError):
    """The input cannot be opened, read or trusted."""

    exit_code = 12


class MismatchError(ForecastError):
    """The data and the model disagree: columns, frequency, covariates, ids."""

    exit_code = 13


class MissingAheadError(MismatchError):
    """Covariates that the model reads ahead are missing for some of the steps to forecast."""


class BundleError(ForecastError):
    """A bundle is damaged, tampered with, or of an unknown format."""

    exit_code = 14


class OutputError(ForecastError):
    """The output or the store cannot be written; the old output is intact."""

    exit_code = 15


class QualityError(ForecastError):
    """A quality gate was not met; the current model is unchanged."""

    exit_code = 16


class StaleError(ForecastError):
    """The input is too old."""

    exit_code = 17


class ResourceError(ForecastError):
    """A resource is missing: a GPU that was asked for, or memory."""

    exit_code = 18


class TimeLimitError(ForecastError):
    """The time limit that was given is over before there is anything to publish."""

    exit_code = 124
