"""promote: the challenger against the champion; the better one becomes or stays champion."""

from pathlib import Path

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main(version: int | None = None, reason: str = "", force: bool = False) -> None:
    """Compare, say the figures, and promote or refuse.

    Parameters
    ----------
    version : int, optional
        The candidate; the alias `challenger` if not given.
    reason : str
        Kept with the version; needed with `force`.
    force : bool
        Promote it whatever the comparison says.

    Raises
    ------
    TrackingError
        There is nothing to compare, or the candidate was not better (exit code 1).
    """
    chosen = config.load()
    # mlflow takes seconds to import; a fault of params.yaml need not wait for it.
    from konkyo.tracking import promotion

    done = promotion.promote(Path.cwd(), chosen, version, reason, force)
    print(done.text)
    name = chosen.track.model
    if not done.promoted:
        raise TrackingError(
            f"version {done.version} of {name} was not promoted: {'; '.join(done.objections)}. "
            "To promote it all the same: --force --reason '...'"
        )
    print(f"version {done.version} of {name} is the champion, version {done.champion} the previous")
