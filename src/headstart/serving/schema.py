"""What goes over the wire, as OpenAPI tells it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class PhotosAsBase64(BaseModel):
    """Photos in a JSON body."""

    model_config = ConfigDict(extra="forbid", strict=True)

    images: list[str] = Field(
        min_length=1,
        description="Files of photos, each as base64.",
        json_schema_extra={"items": {"type": "string", "contentEncoding": "base64"}},
    )


class PredictionBody(BaseModel):
    """What the classifier says of one photo."""

    file: str = Field(description="Its name in the form, or `images[0]`, `images[1]`, ...")
    class_name: str = Field(description="The likeliest class.")
    probability: float = Field(description="Of the likeliest class, 0 to 1.")
    probabilities: dict[str, float] = Field(description="Of every class, the likeliest first.")
    candidates: list[str] = Field(
        description="Classes that may be meant, the likeliest first; several mean 'not sure'."
    )
    distance: float | None = Field(
        description="To the nearest training photo, as the network sees it, 0 to 2."
    )
    is_unfamiliar: bool = Field(description="Unlike the training photos: the class means little.")
    is_sure: bool = Field(description="Whether a single class is meant.")


class SetAsideBody(BaseModel):
    """A file that is no usable photo."""

    path: str
    reason: str


class PredictionsBody(BaseModel):
    """Predictions in the order of the photos; unreadable files are in `set_aside`."""

    model: str
    predictions: list[PredictionBody]
    set_aside: list[SetAsideBody]


class ExplanationBody(BaseModel):
    """What in a photo counted for a class."""

    model: str
    class_name: str = Field(description="The class that is explained.")
    method: str = Field(description="How the map was made, in a sentence.")
    heat: list[list[float]] = Field(description="Rows of the map, 0 to 1.")
    overlay: str = Field(description="The map over the photo, a PNG as base64.")


class ModelBody(BaseModel):
    """A run that is served."""

    name: str
    class_names: list[str]
    backbone: str
    licence: str | None
    image_size: int = Field(description="Side in pixels of what the network sees.")
    engine: str
    precision: str
    digest: str = Field(description="SHA-256 of model.keras.")
    trained_on: int | None = Field(description="Training photos.")
    top_1: float | None = Field(description="Accuracy on its test photos, 0 to 1.")
    top_1_interval: dict[str, float] | None = Field(description="The 95 % interval of it.")


class LimitsBody(BaseModel):
    """What one request may hold."""

    body_bytes: int
    photos: int
    seconds: float


class ModelsBody(BaseModel):
    """The runs that are served, the first by default."""

    models: list[ModelBody]
    limits: LimitsBody


class ErrorDetail(BaseModel):
    """Why there is no answer."""

    code: str = Field(description="One word for programs.")
    message: str = Field(description="What came, what was expected, how to mend it.")


class ErrorBody(BaseModel):
    """Every answer that is no success."""

    error: ErrorDetail


class StatusBody(BaseModel):
    """Whether the server lives, or is ready."""

    status: str


REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["images"],
                    "properties": {
                        "images": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                    "additionalProperties": False,
                }
            },
            "application/json": {"schema": PhotosAsBase64.model_json_schema()},
        },
    }
}
"""Of the routes that take photos; they read the body themselves, to bound it."""
