"""``craig select --engine dask``: the bytes of this process, whatever happens to a worker."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tools import needs, slow

from craig_cli.platform import peak_memory_bytes
from craig_cli.readers import parts as reading

distributed = needs("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")

OPTIONS = (
    "--fraction",
    "0.05",
    "--method",
    "cells",
    "--representative",
    "medoid",
    "--weights",
    "cluster",
)
WORKER_BYTES = 700_000_000
N_FILES = 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Give two workers, processes of one thread and limited memory, in a folder with four Parquet
    files of 3,000 rows.
    """
    folder, before = tmp_path_factory.mktemp("dask"), Path.cwd()
    os.chdir(folder)
    rng = np.random.default_rng(0)
    for f in range(N_FILES):
        rows = rng.normal(size=(20, 8))[rng.integers(20, size=3000)] + 0.3 * rng.normal(
            size=(3000, 8)
        )
        table = pa.table(
            {
                "label": np.where(rows[:, 0] > 0, "up", "down"),
                **{f"x{c}": rows[:, c].astype(np.float32) for c in range(8)},
            }
        )
        pq.write_table(table, folder / f"{f}.parquet", row_group_size=700)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        memory_limit=WORKER_BYTES,
        dashboard_address=None,
        silence_logs=50,
    ) as running:
        os.chdir(before)
        with distributed.Client(running) as client:
            client.run(os.chdir, str(folder))
            yield folder, running, client


@pytest.fixture
def files(cluster, monkeypatch):
    """Work in the folder of the cluster; give the options that name the files."""
    monkeypatch.chdir(cluster[0])
    return tuple(f"{f}.parquet" for f in range(N_FILES))


@pytest.fixture
def dask(cluster):
    return ("--engine", "dask", "--scheduler", cluster[1].scheduler_address)


@pytest.mark.parametrize("allocation", ["auto", *slow("power")])
def test_local_shards_and_dask_give_the_same_bytes(craig, files, dask, monkeypatch, allocation):
    options = (*OPTIONS, "--allocation", allocation)
    assert craig("select", *files, *options, "--parts", "files", "-o", "local.parquet").code == 0
    for file in files:
        output = ("-o", f"{file}.partial", "--force")
        assert craig("select", file, "--partial", *options, *output).code == 0
    assert craig("merge", *(f"{file}.partial" for file in files), "-o", "merged.parquet").code == 0
    monkeypatch.setattr(
        reading.Reading, "blocks", lambda self: pytest.fail("rows were read by the client")
    )
    result = craig("select", *files, *options, *dask, "-o", "dask.parquet")
    assert result.code == 0, result.err
    written = {Path(f"{name}.parquet").read_bytes() for name in ("local", "merged", "dask")}
    assert len(written) == 1


@pytest.mark.slow
def test_local_processes_with_little_memory_give_the_same_bytes(craig, files):
    assert craig("select", *files, *OPTIONS, "--parts", "files", "-o", "local.parquet").code == 0
    limit = ("--threads", "1", "--memory-limit", "700M")
    result = craig(
        "select", *files, *OPTIONS, "--engine", "dask", *limit, "-o", "processes.parquet"
    )
    assert result.code == 0, result.err
    assert Path("processes.parquet").read_bytes() == Path("local.parquet").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("allocation", ["auto", "equal"])
def test_cells_are_gathered_by_the_workers(craig, files, dask, monkeypatch, allocation):
    cells = ("--partition", "cells", "--parts", "5", "--allocation", allocation)
    assert craig("select", *files, *OPTIONS, *cells, "-o", "local-cells.parquet").code == 0
    monkeypatch.setattr(
        reading.Reading, "blocks", lambda self: pytest.fail("rows were read by the client")
    )
    result = craig("select", *files, *OPTIONS, *cells, *dask, "-o", "dask-cells.parquet")
    assert result.code == 0, result.err
    assert Path("local-cells.parquet").read_bytes() == Path("dask-cells.parquet").read_bytes()


@pytest.mark.slow
def test_workers_keep_their_memory(craig, files, dask, cluster):
    assert (
        craig("select", *files, *OPTIONS, *dask, "--parts", "12", "-o", "limited.parquet").code == 0
    )
    _, _, client = cluster
    peaks = client.run(peak_memory_bytes)
    limits = [info["memory_limit"] for info in client.scheduler_info()["workers"].values()]
    assert limits == [WORKER_BYTES] * 2
    assert max(peaks.values()) < WORKER_BYTES


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_changes_nothing(craig, files, dask, cluster):
    folder, _, client = cluster
    many = ("--parts", "24", "--partition", "cells")
    assert craig("select", *files, *OPTIONS, *many, "-o", "whole.parquet").code == 0
    before = set(client.run(os.getpid).values())
    killed = []

    def kill_one():
        while not killed:
            in_memory = client.run_on_scheduler(
                lambda dask_scheduler: sum(
                    ts.state == "memory" for ts in dask_scheduler.tasks.values()
                )
            )
            if in_memory > 60:  # the rows are on their way to the cells
                killed.append(min(before))
                os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.02)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    names = tuple(str(folder / file) for file in files)  # a new worker does not start in the folder
    result = craig("select", *names, *OPTIONS, *many, *dask, "-o", "killed.parquet")
    killer.join(timeout=10)
    assert killed, "the run was over before a worker could be killed"
    assert result.code == 0, result.err
    client.wait_for_workers(2, timeout=30)
    assert killed[0] not in client.run(os.getpid).values()
    assert craig("select", *names, *OPTIONS, *many, "-o", "whole.parquet").code == 0
    assert Path("killed.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_what_a_worker_refuses_is_told_as_here(craig, dask, cluster, monkeypatch):
    folder, _, client = cluster
    monkeypatch.chdir(folder)
    client.run(os.chdir, str(folder))
    Path("bad.csv").write_text("label,a\n0,1\n1,x\n")
    here = craig(
        "select", "bad.csv", "--size", "1", *OPTIONS[2:], "--parts", "files", "-o", "cs.parquet"
    )
    there = craig("select", "bad.csv", "--size", "1", *OPTIONS[2:], *dask, "-o", "cs.parquet")
    assert (there.code, there.err) == (here.code, here.err)
    assert there.code == 3


def test_a_scheduler_that_is_not_there(craig, files, monkeypatch):
    monkeypatch.setattr("craig_cli.workflows.dask_engine.CONNECT_SECONDS", 0.2)
    result = craig(
        "select",
        *files,
        *OPTIONS,
        "--engine",
        "dask",
        "--scheduler",
        "tcp://127.0.0.1:9",
        "-o",
        "cs.parquet",
    )
    assert (result.code, result.err) == (
        2, "craig: error: --scheduler: there is no Dask scheduler at 'tcp://127.0.0.1:9'. Give its "
           "address, as tcp://host:8786.\n"
    )  # fmt: skip
