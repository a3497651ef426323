"""Runs inside the environment that a plain install made: import, one small Keras fit, save and load; says how far it came.

Syntax of Python 3.6. The last line of the output that begins with MARK is JSON: {"stage": ..., "error": ..., "versions": ...}. A stage is
announced before it begins, so that a crash tells where it happened.
"""

import json
import os
import sys
import tempfile
from typing import Any

MARK = "tfsetup-naive "


def say(stage: str, error: str = "") -> None:
    sys.stdout.write("\n" + MARK + json.dumps({"stage": stage, "error": error}) + "\n")
    sys.stdout.flush()


def train(tf: Any, np: Any) -> "tuple[Any, Any]":
    """Fit a small model, and return it with its inputs."""
    keras = tf.keras
    x = np.sin(np.arange(96.0)).reshape(16, 6).astype("float32")
    y = np.cos(np.arange(48.0)).reshape(16, 3).astype("float32")
    inputs = keras.Input(shape=(6,))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Dense(8, activation="relu")(inputs)))
    model.compile(optimizer="adam", loss="mse")
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    loss = float(history.history["loss"][-1])
    if loss != loss:  # noqa: PLR0124 - NaN
        raise ValueError("the loss is not a number")
    return model, x


def save(tf: Any, np: Any, model: Any, x: Any) -> None:
    """Save the model as HDF5, which every Keras knows, and load it."""
    path = os.path.join(tempfile.mkdtemp(), "model.h5")
    model.save(path)
    loaded = tf.keras.models.load_model(path, compile=False)
    if not np.allclose(model.predict(x, verbose=0), loaded.predict(x, verbose=0), atol=1e-5):
        raise ValueError("the loaded model predicts other numbers")


def main() -> None:
    stage = "import"
    try:
        say(stage)
        import numpy as np  # type: ignore[import-not-found] # noqa: PLC0415
        import tensorflow as tf  # type: ignore[import-untyped] # noqa: PLC0415

        stage = "train"
        say(stage)
        model, x = train(tf, np)
        stage = "save"
        say(stage)
        save(tf, np, model, x)
        say("done")
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the result
        say(stage, type(error).__name__ + ": " + str(error))


main()
