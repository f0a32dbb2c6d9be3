"""The GPU's path: what can be checked without one, and the agreement where there is one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from konkyo.errors import ParamsError
from konkyo.models import accelerator
from konkyo.models.batches import CPU
from konkyo.models.cuda_graph import GraphStep
from konkyo.models.fit import ResumeCheckpoint, fit, stack_task

META = torch.device("meta")


@pytest.mark.parametrize("asked", ["auto", "cpu"])
def test_without_a_gpu_it_is_the_cpu(asked, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert accelerator.device_of(asked) == torch.device("cpu")


@pytest.mark.parametrize(("asked", "kind"), [("auto", "cuda"), ("gpu", "cuda"), ("cpu", "cpu")])
def test_with_a_gpu(asked, kind, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    assert accelerator.device_of(asked).type == kind


def test_a_missing_gpu_is_an_error_with_its_remedy(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ParamsError, match="finds none; install a build of torch"):
        accelerator.device_of("gpu")


def test_memory_by_hand():
    # 3-2-1: 3 x 2 + 2 + 2 + 1 = 11 parameters five times; 10 rows of 3 inputs and 2 units.
    assert accelerator.bytes_of_network(3, (2,), batch_size=10) == 4 * (55 + 10 * (3 + 8))
    assert accelerator.networks_that_fit(1000, panel=400, network=100) == 6
    assert accelerator.networks_that_fit(1000, panel=501, network=100) == 10  # stays on the host
    assert accelerator.networks_that_fit(1000, panel=400, network=5000) == 1


def test_a_gpu_takes_every_window_in_one_stack(panel, small, monkeypatch):
    monkeypatch.setattr(accelerator, "device_of", lambda asked: torch.device("cuda", 0))
    monkeypatch.setattr(accelerator, "free_bytes", lambda device: 2**30)
    params = replace(small.train, max_networks_per_stack=4, workers=2)
    on_gpu = accelerator.placement(panel.features, params, networks=169)
    assert (on_gpu.backend, on_gpu.workers) == ("in_process", 1)
    assert on_gpu.networks_per_stack > 1000
    alone = accelerator.placement(panel.features, replace(params, module="lightning"), networks=9)
    assert (alone.backend, alone.networks_per_stack) == ("in_process", 1)


@pytest.mark.parametrize(
    ("changes", "networks", "expected"),
    [
        ({}, 169, ("loky", 2)),
        ({"backend": "dask"}, 169, ("dask", 2)),
        ({}, 4, ("in_process", 1)),
        ({"workers": 1}, 169, ("in_process", 1)),
        ({"backend": "dask", "scheduler_address": "tcp://a:1", "workers": 1}, 5, ("dask", 1)),
        ({"backend": "dask", "scheduler_address": "tcp://a:1"}, 4, ("in_process", 1)),
    ],
)
def test_few_networks_train_in_this_process(panel, small, changes, networks, expected):
    params = replace(small.train, max_networks_per_stack=4, workers=2, accelerator="cpu")
    where = accelerator.placement(panel.features, replace(params, **changes), networks=networks)
    assert (where.backend, where.workers) == expected
    assert where.networks_per_stack == 4


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("free", [10**9, 0])
def test_a_step_never_mixes_host_and_device(task, monkeypatch, free, precision):
    """On torch's device without memory, which refuses an operation on tensors of two devices."""
    monkeypatch.setattr(accelerator, "device_of", lambda _: META)
    monkeypatch.setattr(accelerator, "free_bytes", lambda _: free)
    params = replace(task.params, precision=precision)
    stack = stack_task(task.features, task.labels, task.specs, params)
    batches, module = stack.batches, stack.module.to(META)
    assert module.fetch.features.device == (META if free else CPU)
    optimizer = torch.optim.SGD(module.network.parameters())
    monkeypatch.setattr(module, "optimizers", lambda optimizer=optimizer, **_: optimizer)
    # What a tensor without memory cannot tell: the windows that end.
    monkeypatch.setattr(module, "_finishing", set())
    batch = next(batches.schedule.from_step(0))
    x, y = module.fetch(batch.rows)
    assert x.device == y.device == META
    assert x.shape == (5, 16, 32 if precision == "bf16-mixed" else 5) and y.shape == (5, 16)
    module.training_step([batch], 0)
    assert all(p.grad is not None and p.grad.device == META for p in module.parameters())
    monkeypatch.setattr(module, "fetch", lambda _: (x, torch.zeros(5, 16)))
    with pytest.raises(RuntimeError, match="device"):
        module.training_step([batch], 0)


def test_a_state_is_not_written_more_often_than_asked(tmp_path, monkeypatch):
    class Trainer:
        current_epoch, max_epochs = 0, 9
        written = 0

        def save_checkpoint(self, path, weights_only):
            self.written += 1
            path.write_bytes(b"state")

    now = iter([0.0, 1.0, 2.0, 5.0, 5.5, 6.0, 11.0, 11.0])
    monkeypatch.setattr("konkyo.models.fit.time.monotonic", lambda: next(now))
    trainer, keep = Trainer(), ResumeCheckpoint(tmp_path / "state.ckpt", 5.0)
    for _ in range(5):
        keep.on_train_epoch_end(trainer, None)
    # Asked at 1, 2, 5 (written, at 5.5), 6 and 11 (written).
    assert trainer.written == 2


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@needs_gpu
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_gpu_agrees_with_the_cpu(task, tmp_path, precision):
    scores = {}
    for kind in ("cpu", "gpu"):
        params = replace(task.params, accelerator=kind, epochs=20, precision=precision)
        stack = stack_task(task.features, task.labels, task.specs, params)
        fitted = fit(stack, scratch=tmp_path, name=kind)
        x = torch.from_numpy(task.features).expand(len(task.specs), -1, -1).clone()
        scores[kind] = fitted.network(fitted.network.scale_(x)).numpy()
    atol = 1e-3 if precision == "32-true" else 0.02
    for on_cpu, on_gpu in zip(scores["cpu"], scores["gpu"], strict=True):
        assert spearmanr(on_cpu, on_gpu).statistic > 0.999
        np.testing.assert_allclose(on_gpu, on_cpu, atol=atol)


@needs_gpu
def test_a_replayed_step_is_the_step(task, tmp_path, monkeypatch):
    params = replace(task.params, accelerator="gpu", epochs=3)
    trained = []
    for free in (10**9, 0):  # 0: the panel stays on the host, and no step is replayed
        monkeypatch.setattr(accelerator, "free_bytes", lambda _, free=free: free)
        stack = stack_task(task.features, task.labels, task.specs, params)
        assert isinstance(stack.module._graph, GraphStep) == (free > 0)
        trained.append(fit(stack, scratch=tmp_path, name=str(free)))
    one, other = trained
    for mine, theirs in zip(one.network.parameters(), other.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    np.testing.assert_array_equal(one.losses, other.losses)


@needs_gpu
def test_a_graph_reads_what_it_is_given():
    total = torch.zeros(3, device="cuda")
    graph = GraphStep()
    for number in range(8):
        graph(lambda x: total.add_(2 * x), torch.full((3,), float(number)))
    assert total.tolist() == [56.0] * 3
