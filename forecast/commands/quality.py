"""--require-skill: whether a model is good enough for a script to go on with it."""

from forecast.errors import QualityError


def lacks_skill(skill: float | None, wanted: float | None) -> bool:
    """Tell whether a skill is below what is wanted; one that is not defined always is."""
    return wanted is not None and (skill is None or skill < wanted)


def demand_skill(skill: float | None, wanted: float | None, consequence: str = "") -> None:
    """Raise QualityError where a skill is below what is wanted; `consequence` ends the sentence that says so."""
    if lacks_skill(skill, wanted):
        found = "not defined" if skill is None else f"{skill:.3f}"
        raise QualityError(
            f"the skill against seasonal naive is {found}, below the {wanted:g} of --require-skill{consequence}.\n"
            "Give more history or covariates, or ask for less."
        )
