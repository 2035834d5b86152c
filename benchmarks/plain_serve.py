"""The obvious server: FastAPI, one photo decoded and `model.predict` called a request.

Command:  uvicorn --app-dir benchmarks plain_serve:app  (with MODEL=RUN/model.keras)
"""

import io
import os

import keras
import numpy as np
from fastapi import FastAPI, UploadFile
from PIL import Image

app = FastAPI()
model = keras.models.load_model(os.environ["MODEL"])
side = model.input_shape[1]


@app.post("/v1/predict")
def predict(images: UploadFile) -> dict[str, list[float]]:
    """Runs in FastAPI's pool of threads, as a plain `def` does."""
    photo = Image.open(io.BytesIO(images.file.read())).convert("RGB").resize((side, side))
    batch = np.asarray(photo, np.float32)[None]
    return {"probabilities": model.predict(batch, verbose=0)[0].tolist()}
