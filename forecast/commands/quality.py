"""--require-skill and --require-promotion: whether a model is good enough for a script to go on with it."""

from typing import TYPE_CHECKING

from forecast.errors import QualityError

if TYPE_CHECKING:
    from forecast.store import Published


def lacks_skill(skill: float | None, wanted: float | None) -> bool:
    """Tell whether a skill is below what is wanted; one that is not defined always is."""
    return wanted is not None and (skill is None or skill < wanted)


def demand_skill(skill: float | None, wanted: float | None, published: "Published | None" = None) -> None:
    """Raise QualityError where a skill is below what is wanted; published: the candidate that was kept."""
    if lacks_skill(skill, wanted):
        found = "not defined" if skill is None else f"{skill:.3f}"
        sentence = f"the skill against seasonal naive is {found}, below the {wanted:g} of --require-skill"
        mend = "Give more history or covariates, or ask for less"
        if published is None:
            raise QualityError(f"{sentence}.\n{mend}.")
        raise QualityError(f"{sentence}; {kept(published)}.\n{mend}; {promotion(published)}.")


def kept(published: "Published") -> str:
    """Return where a version is that was not promoted."""
    return f"kept as a candidate: {published.model} in {published.path}"


def promotion(published: "Published") -> str:
    """Return how a version that was not promoted can be."""
    home = published.path.parent.parent
    return f"'forecast models promote {home}@{published.version}' makes it the current one all the same"
