"""The stage train after a run that was killed at its end."""

import chain
from konkyo.artifacts import HERE


def test_states_of_a_finished_run_are_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chain.lay(tmp_path)
    chain.run(("prepare", "train"))
    # Killed between its last network and the end: nothing is pending afterwards.
    state = HERE.models / "state"
    state.mkdir()
    (state / "stacks.json").write_text("{}")
    chain.run(("train",))
    assert not state.exists()
