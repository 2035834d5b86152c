"""What the server answers, and how it refuses."""

import base64
import io
import json
import logging
from collections.abc import Iterator

import pytest
from PIL import Image
from starlette.testclient import TestClient

import headstart
from headstart.serving.app import make_app
from headstart.serving.limits import Limits
from headstart.serving.logs import JsonLines
from headstart.workflow.serve import load_models


@pytest.fixture(scope="module")
def models(served):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADSTART_CACHE", str(served.cache))
        return load_models([served.run])


@pytest.fixture(scope="module")
def client(models) -> Iterator[TestClient]:
    with TestClient(make_app(models, limits=Limits(body_bytes=200_000, photos=9))) as client:
        yield client


def files(photos):
    return [("images", (photo.name, photo.read_bytes())) for photo in photos]


def as_json(*contents: bytes):
    return {"images": [base64.b64encode(content).decode() for content in contents]}


def test_answers_are_those_of_predict(served, client, monkeypatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(served.cache))
    said = headstart.predict(served.run, served.photos)
    form = client.post("/v1/predict", files=files(served.photos)).json()
    text = client.post("/v1/predict", json=as_json(*(p.read_bytes() for p in served.photos)))
    for answer in (form, text.json()):
        assert answer["model"] == "shapes"
        for found, right in zip(answer["predictions"], said, strict=True):
            assert found["class_name"] == right.class_name
            assert found["probabilities"] == pytest.approx(right.probabilities, abs=1e-4)
            assert found["distance"] == pytest.approx(right.distance, abs=1e-4)
            same = ("candidates", "is_sure", "is_unfamiliar")
            assert {name: found[name] for name in same} == {
                name: list(value) if name == "candidates" else value
                for name, value in right.to_dict().items()
                if name in same
            }
    assert [row["file"] for row in form["predictions"]] == [p.name for p in served.photos]


def test_one_broken_photo_among_others_is_set_aside(served, client) -> None:
    sent = [*files(served.photos[:1]), ("images", ("x.png", b"no picture"))]
    answer = client.post("/v1/predict", files=sent)
    assert [len(answer.json()[part]) for part in ("predictions", "set_aside")] == [1, 1]
    assert answer.json()["set_aside"][0]["path"] == "x.png"
    alone = client.post("/v1/predict", files=sent[1:])
    assert (alone.status_code, alone.json()["error"]["code"]) == (415, "photo")
    assert "x.png: not a picture of a known format" in alone.json()["error"]["message"]
    lenient = client.post("/v1/predict", files=sent[1:], headers={"Prefer": "handling=lenient"})
    assert (lenient.status_code, lenient.json()["predictions"]) == (200, [])


FORM = {"content-type": "multipart/form-data; boundary=b"}
PART = b'--b\r\ncontent-disposition: form-data; name="images"\r\n\r\nabc\r\n'


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"content": b"x" * 200_001}, 413, "and 200,001 bytes are declared"),
        ({"content": iter([b"x" * 150_000] * 2)}, 413, "and more came"),
        ({"json": as_json(*[b"a"] * 10)}, 413, "at most 9 are taken"),
        ({"content": b"x", "headers": {"content-type": "image/png"}}, 415, "'image/png' is not"),
        ({"json": {"images": ["?"]}}, 400, "images[0] is no base64"),
        ({"json": {"images": []}}, 400, 'Expected {"images": ["<base64>", ...]}'),
        ({"json": {"photos": [""]}}, 400, "images: Field required"),
        ({"json": as_json(b"")}, 415, "images[0]: empty file"),
        ({"files": {"photo": b"x"}}, 400, "'photo' is unknown. Send photos as 'images'"),
        ({"content": PART, "headers": FORM}, 400, "ends before its last boundary"),
        ({"content": b"--b--\r\n", "headers": FORM}, 400, "There is no photo in the request"),
        ({"content": b"nonsense", "headers": FORM}, 400, "The multipart body is broken"),
        ({"json": as_json(b"a"), "params": {"model": "shape"}}, 404, "Did you mean shapes?"),
    ],
)
def test_a_refusal_says_what_came_and_what_was_expected(client, sent, status, message) -> None:
    headers = {"content-type": "application/json"} if "content" in sent else {}
    answer = client.post("/v1/predict", **({"headers": headers} | sent))
    assert answer.status_code == status, answer.text
    assert message in answer.json()["error"]["message"]


def test_a_full_server_says_when_to_come_again(models, served) -> None:
    with TestClient(make_app(models, limits=Limits(waiting_bytes=100))) as client:
        answer = client.post("/v1/predict", files=files(served.photos[:1]))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "Try again in a second" in answer.json()["error"]["message"]
    with TestClient(make_app(models, limits=Limits(photos=1, queue=1))) as client:
        for _ in range(3):  # room is given back, whatever came of a request
            assert client.post("/v1/predict", json=as_json(b"x")).status_code == 415
            assert client.post("/v1/predict", files=files(served.photos[:1])).is_success


def test_a_key_is_asked_for_where_there_is_one(models) -> None:
    with TestClient(make_app(models, api_key="secret", origins=["https://a.example"])) as client:
        assert client.get("/v1/models").status_code == 401
        assert (
            client.get(
                "/metrics", headers={"Authorization": "Bearer é".encode("latin-1")}
            ).status_code
            == 401
        )
        assert client.get("/healthz").is_success
        assert client.get("/").is_success
        given = {"Authorization": "Bearer secret", "Origin": "https://a.example"}
        answer = client.get("/v1/models", headers=given)
        assert answer.json()["models"][0]["class_names"] == ["disc", "square"]
        assert answer.headers["access-control-allow-origin"] == "https://a.example"


def test_an_explanation_is_a_map_or_a_picture(client, served) -> None:
    sent = files(served.photos[:1])
    answer = client.post("/v1/explain", files=sent, params={"format": "json"}).json()
    assert max(max(row) for row in answer["heat"]) == 1
    picture = client.post("/v1/explain", files=sent, params={"class_name": "square"})
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"
    unknown = client.post("/v1/explain", files=sent, params={"class_name": "squar"})
    assert (unknown.status_code, "Did you mean square?" in unknown.text) == (400, True)
    assert client.post("/v1/explain", files=sent * 2).status_code == 413


def test_pages_come_from_the_server_alone_and_have_no_inline_script(client) -> None:
    for path in ("/", "/docs"):
        page = client.get(path)
        assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
        assert "//" not in page.text
        assert not any(word in page.text for word in ("style=", "onclick", "<style"))
    assert "access-control-allow-origin" not in page.headers
    assert client.get("/nothing").json()["error"]["code"] == "not_found"
    assert client.get("/v1/predict").status_code == 405
    bad = client.post("/v1/explain", json={}, params={"format": "gif"})
    assert (bad.status_code, bad.json()["error"]["code"]) == (422, "bad_parameter")


def test_logs_and_metrics_tell_of_requests_but_not_of_photos(client, served, caplog) -> None:
    with caplog.at_level(logging.INFO, "headstart.serving"):
        client.post("/v1/predict", files=files(served.photos[:2]))
    line = json.loads(JsonLines().format(caplog.records[-1]))
    assert line["event"] == "request"
    assert (line["route"], line["status"], line["photos"]) == ("/v1/predict", 200, 2)
    assert served.photos[0].name not in json.dumps(line)
    assert (
        'headstart_requests_total{route="/v1/predict",status="200"}' in client.get("/metrics").text
    )
    assert client.get("/readyz").json() == {"status": "ready"}
