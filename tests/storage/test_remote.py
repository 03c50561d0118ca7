"""Files in object stores and behind ``file://``: a real S3 server on loopback, if moto is there to
be one, and emulators of Google's and Azure's.
"""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from commandline import write_csv
from tools import needs, path_of

from craig_cli.cli import main
from craig_cli.errors import InputError, UsageError
from craig_cli.storage.location import Location
from craig_cli.storage.remote import expand, failure, replace_remote, store_of

SAMPLES = Path(__file__).parents[2] / "sample_data"
OPTIONS = (
    "--fraction",
    "0.1",
    "--method",
    "cells",
    "--representative",
    "medoid",
    "--weights",
    "cluster",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Start an S3 server with a bucket of the sample files; give the boto3 client and the ending of
    names.
    """
    moto, boto3 = needs("moto", ".server"), needs("boto3")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket="rows")
        for name in (
            "sample.libsvm",
            "sample.csv",
            "sample.parquet",
            "sample.h5",
            "sample.libsvm.gz",
        ):
            client.upload_file(str(SAMPLES / name), "rows", f"data/{name}")
        folder = tmp_path_factory.mktemp("shards")
        rng = np.random.default_rng(0)
        for s in range(2):
            write_csv(
                folder / f"s{s}.csv", (np.arange(100) % 2).tolist(), rng.normal(size=(100, 3))
            )
            client.upload_file(str(folder / f"s{s}.csv"), "rows", f"shards/s{s}.csv")
        client.put_object(Bucket="rows", Key="shards/notes.md", Body=b"no rows")
        yield client, f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1", folder
        server.stop()


@pytest.fixture
def craig(capfd, tmp_path, monkeypatch):
    """Run the command line in a folder of its own; give its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(arguments)
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(command, port):
    """Run a server until the ``with`` block ends; give it when it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server has ended"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def google():
    """Give the names of a bucket of Google's store, as far as an emulator is one."""
    emulator, port = path_of("gcp-storage-emulator"), free_port()
    with server(
        [
            emulator,
            "start",
            "--host=127.0.0.1",
            f"--port={port}",
            "--in-memory",
            "--default-bucket=rows",
        ],
        port,
    ):
        yield (
            lambda key: (
                f"gs://anonymous@rows/{key}?endpoint_override=127.0.0.1:{port}&scheme=http&retry_limit_seconds=5"
            )
        )


@pytest.fixture
def azure(monkeypatch):
    """Give the names of a container of Azure's store, as far as an emulator is one; its key is that
    of all emulators.
    """
    emulator, port = path_of("azurite"), free_port()
    monkeypatch.setenv(
        "AZURE_STORAGE_KEY",
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    )
    with server(
        [
            emulator,
            "--silent",
            "--skipApiVersionCheck",
            "--inMemoryPersistence",
            "--blobPort",
            str(port),
        ],
        port,
    ):

        def name(key):
            return f"abfs://devstoreaccount1@127.0.0.1:{port}/rows/{key}?enable_tls=false"

        store_of(Location.of(name("")))[0].create_dir("rows")
        yield name


@pytest.mark.parametrize(
    "cloud",
    [
        pytest.param("google", marks=pytest.mark.needs("gcp-storage-emulator")),
        pytest.param("azure", marks=pytest.mark.needs("azurite")),
    ],
)
def test_other_stores_hold_data_manifests_and_partials(request, craig, tmp_path, cloud):
    name = request.getfixturevalue(cloud)
    for key in ("sample.csv", "sample.parquet"):
        with replace_remote(Location.of(name(f"data/{key}"))) as out:
            out.write((SAMPLES / key).read_bytes())
    for key in ("sample.csv", "sample.parquet"):
        assert (
            craig("select", str(SAMPLES / key), *OPTIONS, "--force", "-o", "here.parquet")[0] == 0
        )
        for _ in range(2):
            code, _, err = craig(
                "select", name(f"data/{key}"), *OPTIONS, "-o", name("out/cs.parquet")
            )
            assert code == 0, err
        with Location.of(name("out/cs.parquet")).open() as stream:
            assert stream.read() == (tmp_path / "here.parquet").read_bytes()
        assert craig("verify", name("data/*.csv"), name("out/cs.parquet"))[0] == 0
    assert (
        craig(
            "select", name("data/sample.csv"), "--partial", *OPTIONS, "-o", name("out/a.partial")
        )[0]
        == 0
    )
    assert craig("merge", name("out/a.partial"), "-o", name("out/merged.parquet"))[0] == 0
    assert craig("select", name("data/none.csv"), *OPTIONS, "-o", "cs.parquet")[::2] == (
        3, f"craig: error: {name('data/none.csv')}: no such file. Check the name.\n"
    )  # fmt: skip


@pytest.mark.needs("azurite")
def test_a_store_of_azure_without_a_key_is_refused_in_words(azure, craig, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_KEY")
    code, _, err = craig("select", azure("data/sample.csv"), *OPTIONS, "-o", "cs.parquet")
    assert code == 3
    assert "cannot be read: " in err


@pytest.mark.parametrize(
    "name", ("sample.libsvm", "sample.csv", "sample.parquet", "sample.h5", "sample.libsvm.gz")
)
def test_every_format_is_read_from_a_store(store, craig, tmp_path, name):
    _, ending, _ = store
    for data, output in (
        (f"s3://rows/data/{name}{ending}", "there.parquet"),
        (str(SAMPLES / name), "here.parquet"),
    ):
        code, _, err = craig("select", data, *OPTIONS, "-o", output)
        assert code == 0, err
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()


def test_manifests_and_models_are_written_to_a_store_and_read_from_it(store, craig, tmp_path):
    client, ending, _ = store
    data, manifest, model = (
        f"s3://rows/{key}{ending}" for key in ("data/sample.parquet", "out/cs.parquet", "out/model")
    )
    assert craig("select", data, *OPTIONS, "-o", "cs.parquet")[0] == 0
    for _ in range(2):  # a manifest may be replaced by another
        code, _, err = craig("select", data, *OPTIONS, "-o", manifest)
        assert code == 0, err
    assert (
        client.get_object(Bucket="rows", Key="out/cs.parquet")["Body"].read()
        == (tmp_path / "cs.parquet").read_bytes()
    )
    assert craig("verify", data, manifest)[0] == 0
    assert json.loads(craig("info", manifest, "--json")[1])["k"] == 60
    code, _, err = craig("train", data, "--coreset", manifest, "--l2", "0.1", "-o", model)
    assert code == 0, err
    code, _, err = craig("predict", data, model, "-o", "predictions.parquet")
    assert code == 0, err
    code, _, err = craig("select", data, *OPTIONS, "-o", model)
    assert (code, err) == (
        2, f"craig: error: --output: '{model}' exists and is not a craig manifest. Choose another "
           f"name, or replace it with --force.\n"
    )  # fmt: skip
    assert craig("select", data, *OPTIONS, "-o", data)[2] == (
        f"craig: error: --output: '{data}' is one of the inputs.\n"
    )


def test_shards_partials_and_patterns_in_a_store(store, craig, tmp_path):
    _, ending, folder = store
    partials = []
    for s in range(2):
        partials.append(f"s3://rows/partials/s{s}.partial{ending}")
        for word in ("candidates", "kept"):
            code, _, err = craig(
                "select",
                f"s3://rows/shards/s{s}.csv{ending}",
                "--partial",
                *OPTIONS,
                "-o",
                partials[-1],
            )
            assert (code, err.splitlines()[-1 if word == "kept" else 1].split()[0]) == (0, word), (
                err
            )
    code, _, err = craig("merge", *partials, "-o", "merged.parquet")
    assert code == 0, err
    for data in (f"s3://rows/shards/*.csv{ending}", f"s3://rows/shards{ending}"):
        code, _, err = craig("verify", data, "merged.parquet")
        assert code == 0, err
    assert craig("verify", *(str(folder / f"s{s}.csv") for s in range(2)), "merged.parquet")[0] == 0


def test_apply_writes_to_a_store(store, craig, tmp_path):
    client, ending, _ = store
    data = f"s3://rows/data/sample.libsvm{ending}"
    assert craig("select", data, *OPTIONS, "-o", "cs.parquet")[0] == 0
    for name in ("subset.libsvm", "subset.libsvm.gz", "subset.csv", "subset.parquet"):
        assert craig("apply", str(SAMPLES / "sample.libsvm"), "cs.parquet", "-o", name)[0] == 0
        code, _, err = craig("apply", data, "cs.parquet", "-o", f"s3://rows/applied/{name}{ending}")
        assert code == 0, err
    applied = {
        item["Key"].removeprefix("applied/")
        for item in client.list_objects_v2(Bucket="rows", Prefix="applied/")["Contents"]
    }
    assert applied == {path.name for path in tmp_path.iterdir()} - {"cs.parquet"}
    for name in applied:
        assert (
            client.get_object(Bucket="rows", Key=f"applied/{name}")["Body"].read()
            == (tmp_path / name).read_bytes()
        )
    output = f"s3://rows/applied/subset.csv{ending}"
    assert craig("apply", data, "cs.parquet", "-o", output) == (
        2, "", f"craig: error: --output: '{output}' exists. Choose another name, or replace it "
               f"with --force.\n"
    )  # fmt: skip
    assert craig("apply", data, "cs.parquet", "--force", "-o", output)[0] == 0
    table = f"s3://rows/data/sample.parquet{ending}"
    assert (
        craig("apply", table, "cs.parquet", "-o", f"s3://rows/applied/copied.parquet{ending}")[0]
        == 0
    )


def test_idx_files_and_proxies_in_a_store(store, craig, tmp_path):
    client, ending, _ = store
    images, labels = (
        (np.arange(360) % 251).astype(np.uint8).reshape(60, 2, 3),
        np.arange(60, dtype=np.uint8) % 2,
    )
    for name, array, pack in (
        ("a-images-idx3-ubyte", images, bytes),
        ("a-labels-idx1-ubyte.gz", labels, gzip.compress),
    ):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        (tmp_path / name).write_bytes(pack(head + array.tobytes()))
    np.save(tmp_path / "g.npy", np.random.default_rng(0).normal(size=(60, 3)))
    for path in tmp_path.iterdir():
        client.upload_file(str(path), "rows", f"idx/{path.name}")
    here = ("a-images-idx3-ubyte", "--format", "idx", "--proxy", "g.npy")
    there = (
        f"s3://rows/idx/a-*{ending}",
        "--format",
        "idx",
        "--proxy",
        f"s3://rows/idx/g.npy{ending}",
    )
    for name, data in (("here", here), ("there", there)):
        code, _, err = craig("select", *data, *OPTIONS, "-o", f"{name}.parquet")
        assert code == 0, err
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    labelled = ("--label", "a-labels-idx1-ubyte.gz", "-o", "by-name.parquet")
    assert (
        craig("select", f"s3://rows/idx/a-images-idx3-ubyte{ending}", *OPTIONS, *labelled)[0] == 0
    )


def test_folders_in_a_store(store, craig):
    client, ending, folder = store
    keys = [f"lake/year={year}/s0.csv" for year in (2023, 2024)]
    for key in (*keys, "lake/_SUCCESS", "lake/_old/s0.csv", "lake/year=2023/.s0.csv.crc"):
        client.upload_file(str(folder / "s0.csv"), "rows", key)
    whole = [f"s3://rows/{key}{ending}" for key in keys]
    is_csv = lambda name: name.endswith(".csv")  # noqa: E731
    for pattern in ("lake", "lake/**", "lake/**/*.csv", "lake/year=*/s0.csv"):
        assert expand(Location.of(f"s3://rows/{pattern}{ending}"), is_csv) == whole
    options = ("--partition-columns", *OPTIONS, "-o", "cs.parquet")
    code, _, err = craig("select", f"s3://rows/lake{ending}", *options)
    assert code == 0, err
    assert "200 rows, 4 columns" in err


def test_names_in_a_store(store):
    _, ending, _ = store
    assert expand(Location.of(f"s3://rows/shards/s[01].csv{ending}"), bool) == [
        f"s3://rows/shards/s{s}.csv{ending}" for s in range(2)
    ]
    assert expand(Location.of(f"s3://rows/*/s[0-9].csv{ending}"), bool) == [
        f"s3://rows/shards/s{s}.csv{ending}" for s in range(2)
    ]
    assert expand(Location.of(f"s3://rows/nothing/*{ending}"), bool) == []
    assert expand(Location.of(f"s3://rows/data/sample.csv{ending}"), bool) is None
    assert (
        Location.of(f"s3://rows/data/sample.csv{ending}").size()
        == (SAMPLES / "sample.csv").stat().st_size
    )
    with Location.of(f"s3://rows/data/sample.libsvm.gz{ending}").open() as stream:
        stream.seek(2)
        assert stream.tell() == 2
        stream.seek(0)
        assert gzip.decompress(stream.read()) == (SAMPLES / "sample.libsvm").read_bytes()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("data/none.csv", "no such file. Check the name."),
        (
            "data/*.tsv",
            "no file there fits, or has an extension of libsvm or csv or tsv or parquet or arrow "
            "or hdf5 or idx or npy or npz. Check the name.",
        ),
    ],
)
def test_what_is_not_there(store, craig, name, message):
    _, ending, _ = store
    code, _, err = craig("select", f"s3://rows/{name}{ending}", *OPTIONS, "-o", "cs.parquet")
    assert (code, err) == (3, f"craig: error: s3://rows/{name}{ending}: {message}\n")


def test_a_failure_leaves_no_object(store):
    client, ending, _ = store
    with (
        pytest.raises(ZeroDivisionError),
        replace_remote(Location.of(f"s3://rows/broken/cs.parquet{ending}")) as out,
    ):
        out.write(b"half")
        raise ZeroDivisionError
    assert client.list_objects_v2(Bucket="rows", Prefix="broken")["KeyCount"] == 0


def test_a_store_that_refuses_is_said_to(store, craig):
    _, ending, _ = store
    code, _, err = craig(
        "select", f"s3://no-such-bucket/a.csv{ending}", *OPTIONS, "-o", "cs.parquet"
    )
    assert code == 3
    assert err.startswith(f"craig: error: s3://no-such-bucket/a.csv{ending}: ")


def test_files_behind_file_uris(craig, tmp_path):
    (tmp_path / "a b.csv").write_bytes((SAMPLES / "sample.csv").read_bytes())
    assert (
        craig(
            "select",
            (tmp_path / "a b.csv").as_uri(),
            *OPTIONS,
            "-o",
            (tmp_path / "out.parquet").as_uri(),
        )[0]
        == 0
    )
    assert craig("select", "a b.csv", *OPTIONS, "-o", "cs.parquet")[0] == 0
    assert (tmp_path / "out.parquet").read_bytes() == (tmp_path / "cs.parquet").read_bytes()
    assert (
        craig("verify", (tmp_path / "a b.csv").as_uri(), (tmp_path / "out.parquet").as_uri())[0]
        == 0
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a b.csv",
        "cs.parquet",
        "out.parquet",
    ]


def test_passwords_and_strange_hosts_are_refused():
    for name in ("s3://key:secret@bucket/a.csv", "hdfs://user:word@host:8020/a.csv"):
        with pytest.raises(
            UsageError,
            match=r"^A password in the name of a file would be kept in "
            r"the manifest",
        ) as error:
            Location.of(name).open()
        assert "secret" not in str(error.value)
    with pytest.raises(UsageError) as error:
        Location.of("file://host/a.csv")
    assert str(error.value) == (
        "file://host/a.csv: file:// names files of this machine. Write file:///path."
    )


def test_which_names_are_remote():
    assert [
        Location.of(n).is_remote
        for n in (
            "s3://b/k",
            "gs://b/k",
            "abfs://c@a/k",
            "hdfs://h/k",
            "file:///k",
            "k",
            "a:/k",
            "http://h/k",
        )
    ] == [True] * 4 + [False] * 4
    assert Location.of("s3://b/k.csv?region=x").path == "s3://b/k.csv"
    assert Location.of("what?.csv").path == "what?.csv"


def test_an_error_of_a_store_keeps_its_words():
    assert isinstance(failure("s3://b/k", OSError("denied.\nmore")), InputError)
    assert str(failure("s3://b/k", OSError("denied.\nmore"))) == (
        "s3://b/k: cannot be read: denied. Check the name, the endpoint, and the credentials in "
        "the environment."
    )
