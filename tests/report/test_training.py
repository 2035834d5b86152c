"""The report says what was kept, why a stage ended, and how each was set."""

from math import nan

import headstart
from headstart.report.training import describe_training

STAGE = {
    "trainable": "last:2", "cut": ["block2_pool"], "epochs": 5, "best_epoch": 1, "patience": 2,
    "learning_rate": 1e-4, "optimizer": "adam", "schedule": "cosine", "precision": "mixed_bfloat16",
    "moved": ["a", "b"], "unmoved": ["c"], "ended_early": "",
    "validation": {"top_1": 0.95, "log_loss": 0.2},
}  # fmt: skip
HEAD = {
    "stages": [STAGE],
    "kept": "fine-tuned",
    "kept_stage": 1,
    "linear_probe": {"top_1": 0.9, "log_loss": 0.3},
}


def epoch(number, top_1=0.9, stage=1):
    return {
        "stage": stage, "epoch": number, "loss": 0.5, "accuracy": 0.8,
        "validation_top_1": top_1, "validation_log_loss": 1 - top_1,
    }  # fmt: skip


def describe(rows, stage=(), **head):
    return describe_training({**HEAD, "stages": [{**STAGE, **dict(stage)}], **head}, rows)


def test_a_head_in_closed_form_has_no_training():
    assert describe_training({}, [{"c": 1.0, "cross_validated_log_loss": 0.2}]) is None
    assert describe_training({}, []) is None


def test_it_names_the_epoch_that_was_kept_beside_the_linear_probe():
    found = describe([epoch(1, 0.95), epoch(2), epoch(3), epoch(4), epoch(5)])
    assert found.kept == (
        "Kept: the fine-tuned network after epoch 1, with 95.0 % right and a log loss of 0.2000 on "
        "the validation photos; the linear probe had 90.0 % right and a log loss of 0.3000."
    )
    assert found.ended == ()
    assert found.stages == (
        ("1", "last:2", "block2_pool", "5 of 5", "1", "adam, 0.0001, cosine", "bfloat16", "2 of 3"),
    )
    assert len(found.headings) == len(found.stages[0])


def test_it_says_why_the_linear_probe_was_kept():
    found = describe([epoch(1)], {"best_epoch": 0}, kept="linear probe", kept_stage=None)
    assert "no epoch of fine-tuning was better on the validation photos" in found.kept
    assert found.stages[0][4] == "none"


def test_it_says_why_a_stage_ended_early():
    rows = [epoch(1), epoch(2), epoch(3)]
    assert describe(rows).ended == (
        "The training ended after 3 of 5 epochs: the last 2 brought nothing better.",
    )
    stopped = describe(rows, {"ended_early": "The loss is no longer a number."})
    assert stopped.ended == ("The training ended early. The loss is no longer a number.",)


def test_without_validation_photos_it_says_so():
    rows = [{**epoch(1), "validation_top_1": nan, "validation_log_loss": nan}]
    found = describe(rows, {"validation": None}, linear_probe=None)
    assert found.kept.endswith("there were no validation photos.")
    assert "best epoch" not in "".join(found.plots)


def test_a_stage_that_ended_before_its_first_epoch_is_in_the_table():
    stages = [STAGE, {**STAGE, "best_epoch": 0, "ended_early": "The loss exploded."}]
    found = describe_training({**HEAD, "stages": stages}, [epoch(n) for n in range(1, 6)])
    assert found.stages[1][3] == "0 of 5"
    assert found.ended == ("Stage 2 ended early. The loss exploded.",)
    assert "after epoch 1 of stage 1" in found.kept


def test_the_page_of_a_run_shows_its_training_and_needs_nothing_else(make_photos, tmp_path):
    options = {"backbone": "Starter", "head": "mlp:8", "epochs": 2}
    run = headstart.train(make_photos(count=16), out=tmp_path / "run", **options)
    page = (run.folder / "report.html").read_text("utf-8")
    assert "Kept: the head after epoch" in page
    reliability = page.count('aria-label="As it is') + page.count('aria-label="Before calibration')
    assert page.count("<svg") == 2 + reliability
    assert page.count("://") == page.count("http://www.w3.org/2000/svg")


def test_the_page_of_a_linear_probe_has_no_training(make_photos, tmp_path):
    run = headstart.train(make_photos(count=16), out=tmp_path / "run", backbone="Starter")
    assert "<h2>Training</h2>" not in (run.folder / "report.html").read_text("utf-8")
