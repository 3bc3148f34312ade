"""What all tests share: the places of the repository and a quiet, repeatable environment."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's greeting is no part of a test's output

# A shell that starts the tests in the background has SIGINT ignored, and what they start would inherit that: a run that
# must stop at Ctrl-C would not.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow or busy machine is no reason to fail, and a failure must come back when the test is run again.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def samples(repository: Path) -> Path:
    """Return the folder of the sample tables."""
    return repository / "data"
