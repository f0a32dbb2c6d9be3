"""promote: compare the challenger with the champion, and make it champion if it is better."""

from pathlib import Path

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main(version: int | None = None, reason: str = "", force: bool = False) -> None:
    """Compare two versions, print their metrics, and promote the candidate or refuse.

    Parameters
    ----------
    version : int, optional
        The candidate; by default the version with the alias `challenger`.
    reason : str
        Kept with the version; required with `force`.
    force : bool
        Promote the candidate in spite of objections.

    Raises
    ------
    TrackingError
        There is nothing to compare, or the candidate is not better (exit code 1).
    """
    params = config.load()
    # mlflow takes seconds to import; an error in params.yaml is reported without it.
    from konkyo.tracking import promotion

    decision = promotion.promote(Path.cwd(), params, version=version, reason=reason, force=force)
    print(decision.summary)
    name = params.track.model
    if not decision.promoted:
        raise TrackingError(
            f"version {decision.candidate.version} of {name} was not promoted: "
            f"{'; '.join(decision.objections)}. To promote it all the same: --force --reason '...'"
        )
    print(
        f"version {decision.candidate.version} of {name} is the champion, version "
        f"{decision.champion.version} the previous"
    )
