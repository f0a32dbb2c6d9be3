"""SIGKILL at any moment: the next run ends with the results of an undisturbed run.

    python tests/long/kill.py --times 240

Real processes of `konkyo <command>` on small records. All that they import is imported once, here;
each is a fork in a session of its own and is killed, with all that it started, at a random moment
of its work, once or several times on end; a search is sometimes killed alone, and its workers end
of themselves. Then the command runs undisturbed, and

- every file below data/ is, to the byte, that of a run without kills, and there is no other file,
  with three exceptions: run.json (ids of MLflow), the pages of a search and its trials' seconds;
- MLflow has no run that is RUNNING, and one FINISHED run, with the figures, params and children
  of a run without kills;
- a search has as many trials as were asked for, each with the value that its params have without
  kills;
- nothing that grows is left in the folder for temporary files or in shared memory.

With --dvc so many kills of a whole `dvc repro`, after which `dvc repro` ends with a clean status.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# Threads of a numerical library do not survive a fork, and none is needed here.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "src")]

from ruamel.yaml import YAML  # noqa: E402

from small import make_records, small_params  # noqa: E402

CHAIN = ("ingest", "prepare", "train", "attribute", "verify", "backtest", "report", "track")
STAGES = (*CHAIN, "first", "update", "spread", "tune")
"""`first` is `track` that makes MLflow's database, which there is for the others; `spread` is
`train` with two worker processes; `tune` a whole search."""
COMMANDS = {
    "first": ["track"],
    "update": ["update", "--no-commit"],
    "spread": ["train"],
    "tune": ["tune"],
    "work": ["tune", "--worker"],
}
WEIGHTS = {
    "ingest": 1.5, "prepare": 1.5, "train": 2, "verify": 0.7, "report": 0.25, "track": 1.5,
    "first": 0.3, "spread": 0.25, "tune": 0.25,
}  # fmt: skip
"""How many kills a stage gets beside the others."""
TRIALS = 6


class Broken(Exception):
    """What a run after a kill must not leave."""


@dataclass
class Count:
    """What was tried on one stage."""

    kills: int = 0
    late: int = 0
    seconds: float = 0.0


class Project:
    """A folder in which commands run, always the same one: MLflow keeps absolute paths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder.parent / "tmp"
        self.log = folder.parent / "log.txt"
        self.started: set[int] = set()
        self.orphans: list[int] = []

    def make(self, months: int) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "data/own").mkdir(parents=True)
        self.scratch.mkdir(exist_ok=True)
        self.bring(months)
        self.write_params(chosen())
        self.aside(self._make_store)

    def write_params(self, values: Any) -> None:
        from konkyo import config

        with (self.folder / "params.yaml").open("w") as file:
            YAML().dump(config.as_dict(values), file)

    def bring(self, months: int) -> None:
        """Bring the records of so many months."""

        def write() -> None:
            for name, table in zip(("stocks", "market"), make_records(count=months), strict=True):
                table.to_parquet(self.folder / f"data/own/{name}.parquet", index=False)

        self.aside(write)

    def _make_store(self) -> None:
        from konkyo.tracking import store

        store.connect(f"sqlite:///{self.folder}/mlflow.db")

    def aside(self, work: Callable[[], None]) -> None:
        """Do something in a fork: writers have threads, which the commands' forks would lose."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                work()
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        if status:
            raise Broken(f"the project could not be made: {status}")

    def start(self, command: list[str]) -> int:
        """Start `konkyo <command>` as a fork in a session of its own."""
        pid = os.fork()
        if pid:
            self.started.add(pid)
            return pid
        code = 70
        try:
            os.setsid()
            os.chdir(self.folder)
            os.environ["TMPDIR"] = tempfile.tempdir = str(self.scratch)
            out = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.argv = ["konkyo", *command]
            from konkyo.cli import app

            try:
                app(command, standalone_mode=True)
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
            sys.stdout.flush()
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def run(self, command: list[str]) -> float:
        """Run a command to its end; return its seconds."""
        began = time.monotonic()
        pid = self.start(command)
        _, status = os.waitpid(pid, 0)
        seconds = time.monotonic() - began
        # Idle workers, which the end of an interpreter would have ended.
        self.end(pid)
        if status:
            said = self.log.read_text()[-3000:]
            raise Broken(f"konkyo {' '.join(command)} ended with {status}:\n{said}")
        return seconds

    def end(self, leader: int) -> None:
        """Kill what there is of a session, and what it has started meanwhile."""
        while left := session(leader):
            for own in left:
                with_luck(os.kill, own, signal.SIGKILL)
            time.sleep(0.01)

    def kill(self, command: list[str], after: float, alone: bool = False) -> bool:
        """Run a command and kill it after so many seconds; say whether it still ran.

        Alone, what it has started is left to find out, beside the command that comes next.
        """
        pid = self.start(command)
        end = time.monotonic() + after
        while time.monotonic() < end:
            done, _ = os.waitpid(pid, os.WNOHANG)
            if done:
                return False
            time.sleep(min(0.002, max(end - time.monotonic(), 0)))
        if alone:
            with_luck(os.kill, pid, signal.SIGKILL)
            self.orphans.append(pid)
        else:
            self.end(pid)
        _, status = os.waitpid(pid, 0)
        return os.WIFSIGNALED(status)

    def outlived(self) -> None:
        """Wait until the processes whose parent was killed alone have ended of themselves."""
        end = time.monotonic() + 60
        while any(session(leader) for leader in self.orphans):
            if time.monotonic() > end:
                for leader in self.orphans:
                    self.end(leader)
                raise Broken("what a killed process had started outlived it for a minute")
            time.sleep(0.1)
        self.orphans.clear()

    def keep(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder, place, symlinks=True)

    def restore(self, place: Path) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(place, self.folder, symlinks=True)
        self.log.write_text("")


def with_luck(function: Callable[..., Any], *arguments: Any) -> None:
    with suppress(ProcessLookupError):
        function(*arguments)


def session(leader: int) -> list[int]:
    """Return the living processes of a session, its leader included."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] not in "ZX":
                found.append(int(entry))
    return found


def chosen() -> Any:
    from konkyo import config

    small = small_params(resamples=4)
    own = small.ingest.tables
    tables = replace(
        own,
        stocks=replace(own.stocks, files=("data/own/stocks.parquet",)),
        market=(config.Table(("data/own/market.parquet",), {}),),
    )
    space = config.Space(
        n_hidden_layers=(1, 2), width=(4, 8), activation=("tanh", "relu"),
        dropout=config.Range(0.0, 0.5, False), learning_rate=config.Range(0.001, 0.01, True),
        weight_decay=(0.0, 0.001),
        batch_size=(16,), epochs=(3,), window_months=(6,), label=("rank",),
        standardise=("rank", "zscore"),
    )  # fmt: skip
    tune = replace(
        small.tune, trials=TRIALS, workers=1, trials_per_stack=2, sampler="random", pruner="none",
        holdout=6, space=space,
    )  # fmt: skip
    return replace(
        small,
        ingest=replace(small.ingest, source="tables", tables=tables),
        train=replace(small.train, epochs=3),
        verify=replace(small.verify, every_n_months=9, n_stocks=8, n_permutations=3),
        report=replace(small.report, dpi=50, n_extremes=2, factors=("size",)),
        tune=tune,
    )


def import_all() -> None:
    """Import what the commands import, start nothing."""
    import importlib

    import konkyo.tracking  # noqa: F401

    for name in (*CHAIN, "update", "tune"):
        importlib.import_module(f"konkyo.pipeline.{name}")
    for name in ("pytorch_lightning", "konkyo.models.fit", "konkyo.tracking.tuning", "mlflow",
                 "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store", "altair",
                 "mlflow.store.model_registry.sqlalchemy_store", "vl_convert",
                 "konkyo.models.lightning_module"):  # fmt: skip
        importlib.import_module(name)
    others = [path for path in Path("/proc/self/task").iterdir() if path.name != str(os.getpid())]
    # Arrow's allocator knows about forks.
    names = {(path / "comm").read_text().strip() for path in others} - {"jemalloc_bg_thd"}
    if held := sorted(names):
        print(f"threads before the first fork, which are lost in it: {held}")


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file below data/ but those that hold ids and times."""
    found = {}
    for path in sorted((folder / "data").rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.endswith((".lock", ".project-id", ".timings.jsonl")):
            continue
        whole = path.read_bytes()
        if path.name == "run.json":
            whole = b""
        found[name] = hashlib.sha256(whole).hexdigest()
    return found


def differences(folder: Path, reference: Path) -> list[str]:
    """Return the files that are not those of the reference."""
    mine, theirs = digests(folder), digests(reference)
    return [
        f"{name}: {'more' if name not in theirs else 'less' if name not in mine else 'other'}"
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    ]


def logged(folder: Path) -> dict[str, Any]:
    """Return what MLflow has: statuses, and of the finished runs all but ids and times."""
    path = folder / "mlflow.db"
    if not path.exists():
        return {"status": {}, "runs": {}}
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        rows = base.execute(
            "select run_uuid, name, status, lifecycle_stage, artifact_uri from runs"
        ).fetchall()

        def of(table: str, columns: str, run: str) -> list[Any]:
            asked = f"select {columns} from {table} where run_uuid = ? order by {columns}"
            return base.execute(asked, (run,)).fetchall()

        runs: dict[str, Any] = {}
        for run, name, status, stage, artifacts in rows:
            if status == "FINISHED" and stage == "active":
                place = folder / artifacts.partition("/project/")[2]
                files = sorted(
                    (str(p.relative_to(place)), hashlib.sha256(p.read_bytes()).hexdigest())
                    for p in place.rglob("*")
                    if p.is_file() and p.suffix in (".parquet", ".safetensors", ".png", ".csv")
                )
                told = {
                    "metrics": [m for m in of("metrics", "key, step, value", run)
                                if "seconds" not in m[0]],
                    "params": of("params", "key, value", run),
                    "tags": [t for t in of("tags", "key, value", run) if t[0] in STABLE],
                    "files": files,
                }  # fmt: skip
                runs.setdefault(name, []).append(told)
        pending = base.execute(
            "select count(*) from logged_models where status = 1 and lifecycle_stage = 'active'"
        ).fetchone()[0]
        newest = base.execute(
            "select r.status from registered_model_aliases a join model_versions v on "
            "v.name = a.name and v.version = a.version join runs r on r.run_uuid = v.run_id "
            "where a.alias in ('newest', 'champion')"
        ).fetchall()
        versions = base.execute(
            "select count(*) from model_versions v join runs r on r.run_uuid = v.run_id "
            "where r.status = 'FINISHED' and v.status = 'READY'"
        ).fetchone()[0]
    by_status = Counter(status for _, _, status, stage, _ in rows if stage == "active")
    return {
        "status": by_status, "runs": runs, "pending": pending, "aliases": newest,
        "versions": versions,
    }  # fmt: skip


STABLE = ("kind", "params_digest", "data_digest", "source", "study", "state", "month")


def check_logged(folder: Path, reference: Path) -> None:
    mine, theirs = logged(folder), logged(reference)
    if mine["status"].get("RUNNING"):
        raise Broken(f"MLflow: {mine['status']}")
    if mine.get("pending"):
        raise Broken(f"MLflow: {mine['pending']} models are pending")
    if any(status != "FINISHED" for (status,) in mine.get("aliases", [])):
        raise Broken("an alias names the model of a run that was killed")
    if mine.get("versions") != theirs.get("versions"):
        raise Broken(f"MLflow: {mine['versions']} versions, not {theirs['versions']}")
    if mine["runs"].keys() != theirs["runs"].keys():
        raise Broken(f"MLflow: runs {sorted(mine['runs'])}, not {sorted(theirs['runs'])}")
    for name, told in theirs["runs"].items():
        if len(mine["runs"][name]) != len(told):
            raise Broken(f"MLflow: {len(mine['runs'][name])} runs {name}, not {len(told)}")
        for part, value in told[0].items():
            other = mine["runs"][name][0][part]
            if other != value:
                raise Broken(f"MLflow: {part} of {name}: {set(other) ^ set(value)}"[:2000])


def shared(processes: set[int]) -> list[str]:
    """Return what processes left in shared memory; named semaphores, 32 bytes each, apart."""
    return [
        name
        for name in os.listdir("/dev/shm")
        if name.startswith("joblib")
        and {int(p) for p in name.split("_") if p.isdigit()} & processes
    ]


def searched(folder: Path) -> dict[str, float]:
    """Return the value of each counted trial by its params, from trials.csv."""
    import csv

    found = {}
    with (folder / "data/tuning/main/trials.csv").open() as file:
        for row in csv.DictReader(file):
            if row["state"] == "running":
                raise Broken(f"trial {row['trial']} is running")
            if row["state"] in ("complete", "pruned"):
                names = ("n_hidden_layers", "width", "activation", "weight_decay", "dropout",
                         "learning_rate", "standardise")  # fmt: skip
                key = json.dumps({name: row[name] for name in names})
                found[key] = float(row["objective"] or "nan")
    return found


class Killing:
    """The stages, each from where the one before it left, and a run of each without kills."""

    def __init__(self, root: Path, seed: int, stages: tuple[str, ...]) -> None:
        self.root, self.stages = root, stages
        self.project = Project(root / "project")
        self.random = random.Random(seed)
        self.seconds: dict[str, float] = {}
        self.values: dict[str, float] = {}

    def before(self, stage: str) -> Path:
        return self.root / f"before-{stage}"

    def after(self, stage: str) -> Path:
        return self.root / f"after-{stage}"

    def prepare(self) -> None:
        """Run every stage once without kills, and once more to see what is the same each time.

        In a folder that was kept this was done before.
        """
        project, kept = self.project, self.root / "without-kills.json"
        if kept.exists():
            known = json.loads(kept.read_text())
            if set(self.stages) <= known["seconds"].keys():
                self.seconds, self.values = known["seconds"], known["values"]
                return
        project.make(30)
        last = max((CHAIN.index(s) for s in self.stages if s in CHAIN), default=0)
        if "first" in self.stages:
            last = max(last, CHAIN.index("track"))
        if "update" in self.stages:
            last = max(last, CHAIN.index("backtest"))
        if {"tune", "spread"} & set(self.stages):
            last = max(last, CHAIN.index("train"))
        for stage in CHAIN[: last + 1]:
            # No other stage needs the pictures, which take longest.
            if stage != "report" or "report" in self.stages:
                self.once(stage)
        if "first" in self.stages:
            project.restore(self.before("track"))
            (project.folder / "mlflow.db").unlink()
            self.once("first")
        if "update" in self.stages:
            project.restore(self.after("backtest"))
            project.bring(32)
            self.once("update")
        if "spread" in self.stages:
            project.restore(self.before("train"))
            values = chosen()
            project.write_params(replace(values, train=replace(values.train, workers=2)))
            self.once("spread")
        if "tune" in self.stages:
            project.restore(self.after("prepare"))
            self.once("tune")
            self.values = searched(project.folder)
        kept.write_text(json.dumps({"seconds": self.seconds, "values": self.values}))

    def once(self, stage: str) -> None:
        project = self.project
        project.keep(self.before(stage))
        self.seconds[stage] = project.run(COMMANDS.get(stage, [stage]))
        project.keep(self.after(stage))
        if stage in self.stages and stage != "tune":
            project.restore(self.before(stage))
            self.seconds[stage] = project.run(COMMANDS.get(stage, [stage]))
            self.same(stage)

    def same(self, stage: str) -> None:
        folder, reference = self.project.folder, self.after(stage)
        if stage == "tune":
            mine = searched(folder)
            if len(mine) != TRIALS:
                raise Broken(f"{len(mine)} trials, not {TRIALS}")
            for key in mine.keys() & self.values.keys():
                if abs(mine[key] - self.values[key]) > 1e-6 * max(1, abs(self.values[key])):
                    raise Broken(f"{key}: {mine[key]}, not {self.values[key]}")
            told = logged(folder)
            if told["status"].get("RUNNING") or told["pending"]:
                raise Broken(f"MLflow: {told['status']}")
            parents = [n for n in told["runs"] if n == "tune-main"]
            children = [n for n in told["runs"] if n.startswith("trial-")]
            if len(parents) != 1 or len(children) != TRIALS:
                raise Broken(f"MLflow: {sorted(told['runs'])}")
            left = [n for n in digests(folder) if "/.konkyo-" in n or "/state/" in n]
        else:
            left = differences(folder, reference)
            check_logged(folder, reference)
        left += [f"temporary: {path}" for path in os.listdir(self.project.scratch)]
        if left:
            raise Broken("; ".join(left[:20]))

    def attempt(self, stage: str, count: Count) -> None:
        """Kill a stage once, twice or three times on end, then run it undisturbed and compare."""
        project = self.project
        project.restore(self.before(stage))
        began = time.monotonic()
        command = COMMANDS.get(stage, [stage])
        # One in three is killed again while it mends.
        for _ in range(1 + (self.random.random() < 0.33) + (self.random.random() < 0.1)):
            moment = self.random.uniform(0, 1.02 * self.seconds[stage])
            alone = stage == "tune" and self.random.random() < 0.5
            if project.kill(command, moment, alone):
                count.kills += 1
            else:
                count.late += 1
                break
        project.run(command)
        project.outlived()
        self.same(stage)
        if left := shared(project.started):
            raise Broken(f"shared memory: {left}")
        count.seconds += time.monotonic() - began

    def run(self, times: int) -> dict[str, Count]:
        counts = {stage: Count() for stage in self.stages}
        weights = [WEIGHTS.get(stage, 1) for stage in self.stages]
        while (done := sum(c.kills for c in counts.values())) < times:
            (stage,) = self.random.choices(self.stages, weights)
            if done < len(self.stages):
                stage = self.stages[done]
            try:
                self.attempt(stage, counts[stage])
            except Broken:
                place = self.root / "broken"
                self.project.keep(place)
                print(f"{stage}, after {done} kills; the folder is kept as {place}", flush=True)
                raise
            if sum(c.kills for c in counts.values()) // 20 > done // 20:
                print(f"{done} kills", flush=True)
        return counts


def repro(root: Path, times: int, seed: int) -> None:
    """Kill a whole `dvc repro` at random times; the next one ends with a clean status."""
    draw = random.Random(seed)
    project = Project(root / "dvc")
    project.make(30)
    for name in ("src", "dvc.yaml", ".gitignore", ".dvc/config"):
        source, target = ROOT / name, project.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            # The second study has a pipeline of its own.
            ignored = shutil.ignore_patterns("__pycache__", "studies")
            shutil.copytree(source, target, ignore=ignored)
        elif source.exists():
            shutil.copyfile(source, target)
    environment = os.environ | {
        "PYTHONPATH": str(project.folder / "src"), "TMPDIR": str(project.scratch),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip

    def dvc(*command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *command], cwd=project.folder, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    subprocess.run(["git", "init", "-q"], cwd=project.folder, check=True)
    if not (project.folder / ".dvc/config").exists():
        subprocess.run([sys.executable, "-m", "dvc", "init", "-q"], cwd=project.folder, check=True)
    for number in range(times):
        running = dvc("repro")
        time.sleep(draw.uniform(5, 50))
        for own in session(running.pid):
            with_luck(os.kill, own, signal.SIGKILL)
        running.wait()
        whole = dvc("repro")
        said = whole.communicate()[0]
        if whole.returncode:
            raise Broken(f"dvc repro:\n{said[-3000:]}")
        status = dvc("status").communicate()[0]
        if "up to date" not in status:
            raise Broken(f"dvc status:\n{status}")
        told = logged(project.folder)
        if told["status"].get("RUNNING"):
            raise Broken(f"MLflow: {told['status']}")
        if left := [n for n in digests(project.folder) if "/.konkyo-" in n]:
            raise Broken("; ".join(left))
        print(f"dvc repro killed, {number + 1} of {times}: status clean", flush=True)
        # Everything is due again.
        project.write_params(replace(chosen(), train=replace(chosen().train, seed=number + 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=240, help="kills altogether")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--dvc", type=int, default=0, help="kills of `dvc repro`")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path,
        help="kept, with the runs without kills, which another call then goes on from",
    )  # fmt: skip
    asked = parser.parse_args()
    root = asked.folder or Path(tempfile.mkdtemp(prefix="kill-"))
    root.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    import_all()
    killing = Killing(root, asked.seed, tuple(asked.stages))
    try:
        killing.prepare()
        print(
            f"{time.monotonic() - began:.0f} s; seconds of a run without kills: "
            + ", ".join(f"{s} {t:.1f}" for s, t in killing.seconds.items()),
            flush=True,
        )
        counts = killing.run(asked.times)
        repro(root, asked.dvc, asked.seed)
    except Broken as found:
        raise SystemExit(f"BROKEN {found}") from None
    for stage, count in counts.items():
        print(f"{stage:<10} {count.kills:4} kills, {count.late} came late, {count.seconds:.0f} s")
    print(
        f"{sum(c.kills for c in counts.values())} kills: every next run ended as one without "
        f"kills; {time.monotonic() - began:.0f} s"
    )
    if asked.folder is None:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
