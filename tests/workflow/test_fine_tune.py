"""Fine-tuning end to end, on small drawn photos with the starter."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import headstart
from headstart.cli.main import app
from headstart.errors import ArgumentError
from headstart.files import sha256
from headstart.process import _NotInstalled
from headstart.progress import Silent

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def train(tmp_path, make_photos):
    photos = make_photos(count=40)

    def run(name="run", **options):
        options = {"backbone": "Starter", "epochs": 2, **options}
        return headstart.train(photos, out=tmp_path / name, **options)

    return run


def history_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "history.csv").read_text("utf-8").splitlines()))


@pytest.mark.neutral
def test_a_tuned_backbone_is_joined_saved_and_reported(train):
    run = train(plan="lp_ft", fine_tune="from:block3_conv2", learning_rate=1e-3)
    head = run.manifest.head
    assert head["plan"] == "lp_ft"
    (stage,) = head["stages"]
    assert stage["cut"] == ["block2_pool", "block3_conv1_relu"]
    moved = {name.split("/")[0] for name in stage["moved"]}
    assert moved == {"block3_conv2", "probabilities"}
    assert all("bn" in name or "block3_conv1" in name for name in stage["unmoved"])
    rows = history_of(run.folder)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert run.manifest.agreement["same_top_1"] == 1.0
    assert headstart.evaluate(run).top_1 == run.manifest.metrics["top_1"]


class Stations(Silent):
    """Notes which stations there were, and how many photos went through each."""

    def __init__(self):
        self.seen: dict[str, int] = {}

    def step(self, station, done, total):
        self.seen[station] = max(done, self.seen.get(station, 0))


@pytest.mark.parametrize("trainable", ["head", "from:block3_conv2"])
def test_a_head_on_a_frozen_backbone_needs_no_second_look_at_the_training_photos(train, trainable):
    stations = Stations()
    stages = [{"trainable": trainable, "epochs": 1}]
    run = train(epochs=None, validation=0.0, stages=stages, progress=stations)
    assert run.manifest.metrics["unfamiliar"] is not None
    again = stations.seen.get("features as saved", 0)
    assert again == (0 if trainable == "head" else run.manifest.photos["train"])


def test_it_is_never_worse_than_the_probe(train):
    probe = train("probe", plan="linear_probe", epochs=None)
    wild = train("wild", plan="lp_ft", fine_tune="all", optimizer="sgd", learning_rate=10.0)
    assert wild.manifest.head["kept"] == "linear probe"
    assert "Try a lower learning rate" in wild.manifest.head["stages"][0]["ended_early"]
    assert wild.manifest.metrics == probe.manifest.metrics
    assert sha256(wild.folder / "model.keras") == sha256(probe.folder / "model.keras")


@pytest.mark.parametrize(
    "options",
    [
        {"plan": "freeze_then_fine_tune", "fine_tune": "last:2"},
        {"plan": "gradual_unfreeze", "head": "sigmoid", "depth_factor": 0.5},
        {"plan": "scratch", "augment": "flip,crop:0.8", "average": 0.9},
        {"plan": "lp_ft", "augment": "standard", "views": 3, "loss": "focal"},
        {"plan": "lp_ft", "fine_tune": "all", "augment": "mixup:0.2", "schedule": "one_cycle"},
        {"plan": "lp_ft", "head": "mlp:16", "class_weight": "balanced"},
        {"plan": "lp_ft", "batch_norm": "adapt", "training_precision": "bfloat16"},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_every_kind_of_plan_makes_a_run_that_predicts(train, options, monkeypatch):
    # A bar that nothing can miss: what is tuned is kept, and must be proven.
    monkeypatch.setattr("headstart.workflow.train.probe_score", lambda *_: None)
    run = train(**options)
    assert run.manifest.head["kept"] == "fine-tuned"
    assert run.manifest.agreement["share_within"] >= 0.99
    predictions = list(headstart.predict(run, run.folder.parent / "photos"))
    assert len(predictions) == 80


def test_test_photos_have_no_part_in_it(train, make_photos, tmp_path):
    tests = tmp_path / "photos" / "test"
    digests = []
    for name, flipped in (("a", False), ("b", True)):
        other = make_photos(f"test_{name}", count=6, start=200)
        if flipped:
            (other / "disc").rename(other / "x")
            (other / "square").rename(other / "disc")
            (other / "x").rename(other / "square")
        run = train(name, plan="lp_ft", learning_rate=1e-3, test=str(other))
        digests.append(sha256(run.folder / "model.keras"))
    assert digests[0] == digests[1]
    assert not tests.exists()


def test_without_validation_photos_the_last_stage_is_kept(train):
    run = train(plan="lp_ft", validation=0.0)
    assert run.manifest.head["kept"] == "fine-tuned"
    assert run.manifest.head["linear_probe"] is None


def test_stages_of_ones_own_and_the_words_of_keras_2(tmp_path, make_photos):
    make_photos(count=30)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
        photos = "{tmp_path / "photos"}"
        backbone = "Starter"
        [[stages]]
        trainable = "head"
        epochs = 2
        optimizer = "sgd"
        optimizer_options = {{ lr = 0.02, momentum = 0.9, decay = 0.01 }}
        [[stages]]
        trainable = "last:1"
        epochs = 1
        """
    )
    command = ["train", "--recipe", str(recipe), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "learning rate / (1 + 0.01 * step)" in result.stderr
    rows = history_of(tmp_path / "run")
    assert [(row["stage"], row["epoch"]) for row in rows] == [("1", "1"), ("1", "2"), ("2", "1")]
    assert float(rows[0]["learning_rate"]) == pytest.approx(0.02 / (1 + 0.01 * 2), rel=1e-3)
    first, _second = headstart.load_run(tmp_path / "run").manifest.head["stages"]
    assert first["schedule"] == "inverse_time"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plan": "lp_tf"}, "Did you mean lp_ft"),
        ({"plan": "lp_ft", "fine_tune": "from:block3_cnv1"}, "block3_conv1"),
        ({"plan": "lp_ft", "fine_tune": "from:block3_out_x"}, "no layer or block"),
        ({"plan": "lp_ft", "loss": "categorical_crossentropy", "head": "sigmoid"}, "does not fit"),
        ({"plan": "lp_ft", "loss": "crosentropy"}, "Did you mean"),
        ({"plan": "lp_ft", "optimizer": "addam"}, "Did you mean"),
        ({"plan": "lp_ft", "epochs": 0}, "epochs=0"),
        ({"plan": "lp_ft", "schedule": "cosin"}, "Did you mean cosine"),
        ({"plan": "lp_ft", "views": 3}, "views=3 without augmentation"),
        ({"plan": "lp_ft", "augment": "flop"}, "Did you mean flip"),
        ({"plan": "linear_probe", "epochs": 5}, "epochs=5 has no effect"),
        ({"plan": "lp_ft", "learning_rat": 1.0}, "Did you mean learning_rate"),
        ({"stages": [{"trainable": "head", "epoch": 3}]}, "Did you mean epochs"),
        ({"plan": "lp_ft", "stages": [{"trainable": "head"}]}, "in two ways"),
    ],
)
def test_what_cannot_work_is_refused_before_a_photo_is_read(tmp_path, options, message):
    photos = tmp_path / "photos"
    photos.mkdir()  # empty: reading it would be another error
    options = {"backbone": "Starter", **options}
    with pytest.raises(ArgumentError) as error:
        headstart.train(photos, out=tmp_path / "run", **options)
    assert message in str(error.value)
    assert not (tmp_path / "run").exists()


def test_ones_own_loss_and_optimizer_leave_no_trace_in_the_model(train, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own.py").write_text(
        "import keras\n\n"
        "def soft(y_true, y_pred):\n"
        "    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)\n\n"
        "def slow(learning_rate):\n"
        "    return keras.optimizers.SGD(learning_rate, momentum=0.5)\n"
    )
    own = str(tmp_path / "own.py")
    run = train(plan="lp_ft", loss=f"{own}:soft", optimizer=f"{own}:slow", learning_rate=0.1)
    assert "def soft" in run.manifest.head["source"]["loss"]
    assert "def slow" in run.manifest.head["source"]["optimizer"]
    script = "import sys, keras; print(keras.models.load_model(sys.argv[1]).output_shape)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(run.model_file)],
        capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert "(None, 2)" in done.stdout


def test_code_that_a_run_folder_names_is_not_run_unasked(tmp_path, make_photos):
    make_photos(count=20)
    folder = tmp_path / "from_elsewhere"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    (folder / "evil.py").write_text("raise SystemExit('it ran')")
    (folder / "recipe.toml").write_text(
        f'photos = "{tmp_path / "photos"}"\nplan = "lp_ft"\nloss = "{folder / "evil.py"}:loss"\n'
    )
    result = CliRunner().invoke(app, ["train", "--recipe", str(folder / "recipe.toml")])
    assert result.exit_code == 2
    assert "names code of its own" in result.output
    assert "it ran" not in result.output


def start(photos: Path, out: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "headstart", "train", str(photos), "--backbone", "Starter"]
    command += ["--precision", "float32"]  # `auto` takes the fastest, which chance may decide
    command += ["--plan", "lp_ft", "--epochs", "24", "--learning-rate", "0.0001", "--out", str(out)]
    return subprocess.Popen(
        command,
        env={**os.environ, "HEADSTART_CACHE": str(cache)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    for line in process.stderr or ():
        if text in line:
            return


def test_after_sigkill_it_goes_on_after_the_last_whole_epoch(tmp_path, make_photos):
    photos = make_photos(count=40)
    whole = start(photos, tmp_path / "whole", tmp_path / "cache 1")
    _, errors = whole.communicate(timeout=180)
    assert whole.returncode == 0, errors
    killed = start(photos, tmp_path / "run", tmp_path / "cache 2")
    wait_for(killed, "epoch  10")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    again = start(photos, tmp_path / "run", tmp_path / "cache 2")
    _, errors = again.communicate(timeout=180)
    assert again.returncode == 0, errors
    assert "epoch   9" not in errors
    assert "epoch  24" in errors
    for name in ("model.keras", "predictions.csv"):
        assert sha256(tmp_path / "run" / name) == sha256(tmp_path / "whole" / name)
    assert not list((tmp_path / "cache 2" / "training").iterdir())


def test_ctrl_c_ends_the_stage_and_keeps_the_best(tmp_path, make_photos):
    photos = make_photos(count=40)
    process = start(photos, tmp_path / "run", tmp_path / "cache")
    wait_for(process, "epoch  10")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert "stopped by hand" in manifest["head"]["stages"][0]["ended_early"]


def test_two_devices_or_two_processes_learn_as_one():
    pytest.importorskip("jax", reason="JAX is not installed: pip install headstart[jax]")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    job = {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    }
    started = [
        start_training(),
        start_training(XLA_FLAGS="--xla_force_host_platform_device_count=2"),
        *(start_training(**job, KERAS_DISTRIBUTION_PROCESS_ID=str(each)) for each in range(2)),
    ]
    answers = [each.communicate(timeout=240)[0].splitlines()[-1] for each in started]
    (devices, *alone), *others = map(json.loads, answers)
    assert devices == 1
    for count, *losses in others:
        assert count == 2
        assert np.allclose(losses, alone, rtol=1e-4)


def start_training(**environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, __file__],
        env={**os.environ, "KERAS_BACKEND": "jax", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def train_on_all_devices() -> list[float]:
    """The losses of three epochs, after the number of devices that computed them."""
    import jax
    import keras

    from headstart.architectures.lenet import LeNet5
    from headstart.training.devices import join_processes, use_all_devices
    from headstart.training.examples import KeptRows
    from headstart.training.loop import Surroundings, fit
    from headstart.training.losses import make_loss
    from headstart.training.plan import Stage

    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 96).astype(np.int32)
    rows = KeptRows(labels, (random.standard_normal((96, 32, 32, 1)).astype(np.float32),))
    join_processes()
    use_all_devices()
    keras.utils.set_random_seed(0)
    model = LeNet5(classes=3)
    loss = make_loss("auto", options={}, units=3)
    given = Surroundings(loss=loss, progress=Silent())
    history = fit(model, rows, rows, Stage(epochs=3), given)
    return [jax.device_count(), *(row[1] for row in history.rows)]


if __name__ == "__main__":
    # Keras imports them where they are installed, whatever its backend; it takes most of the time.
    sys.meta_path.insert(0, _NotInstalled(("matplotlib", "tensorflow", "torch")))
    print(json.dumps(train_on_all_devices()))
