"""code: digests of konkyo's code, on which the stages of a project of one's own depend."""

from konkyo import io, project
from konkyo.artifacts import HERE
from konkyo.pipeline import stage


@stage
def main() -> None:
    """Write data/code.json: konkyo's version, and a digest for each stage."""
    io.write_json(project.code_digests(), HERE.code)
