"""Runs inside the target interpreter, loaded by ``_probe``: what is computed, each against NumPy within a written tolerance.

Syntax of Python 3.6; made for TensorFlow 1.15 to 2.22 with Keras 2 and 3, so every interface that some release lacks is asked for first.
Inputs are fixed, so two runs and two devices can be compared.
"""

import os
import shutil
import sys
from typing import Any

import numpy as np  # type: ignore[import-not-found]  # the target's

# Largest accepted difference from NumPy's float64 result, relative to the largest absolute value of that result. The sums have at most
# 144 terms of size one: float32 rounding (6e-8 a step) stays under 1e-5 in any order of summation. TF32 would give 1e-3, so it is off.
TOLERANCE = 1e-5
# One step of training and a reloaded model: a few such sums one after the other.
TRAINING_TOLERANCE = 5e-5


class Different(Exception):  # noqa: N818 - reads as what it says
    """A result is not what NumPy says."""


def skip(reason: str) -> "Exception":
    """The exception by which ``_probe``, which runs as ``__main__``, recognises a check that does not apply."""
    import __main__  # noqa: PLC0415 - not there when a tool only parses this file

    return __main__.Skipped(reason)  # type: ignore[no-any-return]


def compare(result: Any, reference: Any, tolerance: float = TOLERANCE, what: str = "NumPy") -> str:
    """Return the relative difference in words; raises ``Different`` beyond the tolerance, for another shape and for NaN."""
    got, want = np.asarray(result, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if got.shape != want.shape:
        raise Different(f"shape {got.shape} where {what} has {want.shape}")
    scale = float(np.max(np.abs(want))) or 1.0
    difference = float(np.max(np.abs(got - want))) / scale
    if not difference <= tolerance:  # NaN is not below anything
        raise Different(f"differs from {what} by {difference:.1e}, allowed are {tolerance:.0e}")
    return f"differs from {what} by {difference:.0e} (allowed {tolerance:.0e})"


def waves(*shape: int) -> Any:
    """Fixed numbers between -1 and 1 without pattern, as float32."""
    count = int(np.prod(shape))
    return np.sin(np.arange(1, count + 1, dtype=np.float64) * 12.9898).reshape(shape).astype(np.float32)


def placed(tensor: Any, device: str) -> None:
    """Raises when a result was not computed where it was asked for."""
    where = str(getattr(tensor, "device", ""))
    if where and not where.endswith(device):
        raise Different(f"was computed on {where} instead of {device}")


class Kernels:
    """The checks of one device: each returns (detail, data, result)."""

    def __init__(self, tf: Any, device: str, work: str) -> None:
        self.tf, self.device, self.work = tf, device, work

    def matmul(self) -> "tuple[str, dict[str, Any], Any]":
        """``tf.constant`` and a matrix product."""
        left, right = waves(32, 64), waves(64, 16)
        with self.tf.device(self.device):
            result = self.tf.matmul(self.tf.constant(left), self.tf.constant(right))
        placed(result, self.device)
        result = result.numpy()
        return compare(result, left.astype(np.float64) @ right.astype(np.float64)), {}, result

    def convolution(self) -> "tuple[str, dict[str, Any], Any]":
        """A 3x3 convolution with padding: oneDNN or Eigen on the CPU, cuDNN on a GPU."""
        images, kernel = waves(2, 12, 12, 16), waves(3, 3, 16, 8)
        padded = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)), "constant")
        reference = sum(
            np.tensordot(padded[:, row : row + 12, column : column + 12, :], kernel[row, column].astype(np.float64), 1)
            for row in range(3)
            for column in range(3)
        )
        with self.tf.device(self.device):
            result = self.tf.nn.conv2d(self.tf.constant(images), self.tf.constant(kernel), strides=[1, 1, 1, 1], padding="SAME")
        placed(result, self.device)
        result = result.numpy()
        return compare(result, reference), {}, result

    def function(self) -> "tuple[str, dict[str, Any], Any]":
        """``tf.function`` with a loop and a branch that AutoGraph must turn into a graph."""
        tf = self.tf
        if not hasattr(tf, "function"):
            raise skip("this TensorFlow has no tf.function")

        def power_sum(matrix: Any, steps: Any) -> Any:
            total = tf.zeros_like(matrix)
            term = matrix
            for step in tf.range(steps):
                # ``==`` compares identities in TensorFlow 1.
                if tf.equal(step % 2, 0):
                    total += term
                else:
                    total -= term
                term = tf.matmul(term, matrix)
            return total

        matrix = waves(8, 8) / 4
        with tf.device(self.device):
            result = tf.function(power_sum)(tf.constant(matrix), tf.constant(4)).numpy()
        exact = matrix.astype(np.float64)
        reference = exact - exact @ exact + exact @ exact @ exact - exact @ exact @ exact @ exact
        return compare(result, reference), {}, result

    def xla(self) -> "tuple[str, dict[str, Any], Any]":
        """A function compiled by XLA; on a GPU this needs ptxas and libdevice (``tanh`` and ``exp`` come from there)."""
        tf = self.tf

        def fused(left: Any, right: Any) -> Any:
            return tf.reduce_sum(tf.tanh(tf.matmul(left, right)) * tf.exp(left[:, :16]), axis=1)

        compiled = None
        for option in ("jit_compile", "experimental_compile"):
            try:
                compiled = tf.function(fused, **{option: True})
                break
            except (TypeError, AttributeError):
                continue
        if compiled is None:
            raise skip("this TensorFlow compiles no function by XLA on request")
        left, right = waves(32, 64), waves(64, 16)
        with tf.device(self.device):
            result = compiled(tf.constant(left), tf.constant(right))
        placed(result, self.device)
        result = result.numpy()
        exact = left.astype(np.float64)
        reference = np.sum(np.tanh(exact @ right.astype(np.float64)) * np.exp(exact[:, :16]), axis=1)
        return compare(result, reference), {}, result

    def keras_fit(self) -> "tuple[str, dict[str, Any], Any]":
        """One step of gradient descent on a dense layer: loss and new weights are known in closed form."""
        keras = self.tf.keras
        x, y, weights, bias, rate = waves(24, 6), waves(24, 3), waves(6, 3), waves(3) / 2, 0.1
        with self.tf.device(self.device):
            inputs = keras.Input(shape=(6,))
            model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
            model.set_weights([weights, bias])
            model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
            history = model.fit(x, y, batch_size=24, epochs=1, shuffle=False, verbose=0)
        loss = float(history.history["loss"][0])
        residual = x.astype(np.float64) @ weights + bias - y
        gradient = 2.0 * residual / residual.size
        expected = np.concatenate([(weights - rate * x.T.astype(np.float64) @ gradient).ravel(), bias - rate * gradient.sum(axis=0)])
        compare(loss, np.mean(residual**2), TRAINING_TOLERANCE, "the loss by NumPy")
        result = np.concatenate([np.asarray(item).ravel() for item in model.get_weights()])
        self.model, self.x = model, x
        words = compare(result, expected, TRAINING_TOLERANCE, "the step by NumPy")
        return f"loss {loss:.4f}, {words}", {}, result

    def save_load(self) -> "tuple[str, dict[str, Any], Any]":
        """The trained model through Keras' own file, predictions before and after."""
        keras, model = self.tf.keras, self._trained()
        # The .keras file exists from Keras 2.12 on; before, HDF5 was the one-file format.
        suffix = ".keras" if keras_version(keras, model) >= [2, 12] else ".h5"
        path = os.path.join(self.work, "model" + suffix)
        model.save(path)
        loaded = keras.models.load_model(path)
        before, after = np.asarray(model(self.x)), np.asarray(loaded(self.x))
        return "{}: {}".format(suffix, compare(after, before, TRAINING_TOLERANCE, "before")), {}, None

    def saved_model(self) -> "tuple[str, dict[str, Any], Any]":
        """The trained model through TensorFlow's SavedModel, predictions before and after."""
        model = self._trained()
        tf = self.tf.compat.v2 if self.tf.__version__.startswith("1.") else self.tf
        folder = os.path.join(self.work, "saved")
        shutil.rmtree(folder, ignore_errors=True)
        before = np.asarray(model(self.x))
        # Keras 2.12 has it too, and it fails there after training ("Mismatching ReplicaContext").
        if hasattr(model, "export") and keras_version(self.tf.keras, model) >= [2, 13]:
            model.export(folder)
            # The loaded object owns the variables, so it must live as long as its functions are called.
            loaded = tf.saved_model.load(folder)
            after = np.asarray(loaded.serve(tf.constant(self.x)))
        else:
            tf.saved_model.save(model, folder)
            loaded = tf.saved_model.load(folder)
            after = np.asarray(next(iter(loaded.signatures["serving_default"](tf.constant(self.x)).values())))
        return compare(after, before, TRAINING_TOLERANCE, "before"), {}, None

    def _trained(self) -> Any:
        if not hasattr(self, "model"):
            raise skip("needs the model that keras-fit makes")
        return self.model


# What each device must do; on the CPU the two that save follow.
EACH = (("matmul", "matmul"), ("convolution", "convolution"), ("function", "function"), ("xla", "xla"), ("keras-fit", "keras_fit"))
ONCE = (("save-load", "save_load"), ("saved-model", "saved_model"))


def keras_version(keras: Any, model: Any) -> "list[int]":
    """Major and minor of the Keras that made ``model``: ``tf.keras`` does not tell in every release, its package does."""
    package = sys.modules[type(model).__module__.split(".")[0]]
    text = str(getattr(keras, "__version__", "") or package.__version__)
    return [int(part) for part in text.split("-", maxsplit=1)[0].split(".")[:2]]


def prepare(tf: Any) -> None:
    """Same arithmetic on every device and in every release: eager, no TF32, GPU memory taken only as needed."""
    if not tf.executing_eagerly():
        tf.compat.v1.enable_eager_execution()
    experimental = tf.config.experimental
    if hasattr(experimental, "enable_tensor_float_32_execution"):
        experimental.enable_tensor_float_32_execution(False)  # noqa: FBT003 - TensorFlow's interface
    for gpu in physical(tf, "GPU"):
        experimental.set_memory_growth(gpu, True)  # noqa: FBT003 - TensorFlow's interface


def physical(tf: Any, kind: str) -> "list[Any]":
    """The physical devices of a kind; the name was experimental before 2.1."""
    ask = getattr(tf.config, "list_physical_devices", None) or tf.config.experimental.list_physical_devices
    return list(ask(kind))


def devices(tf: Any, rehearse: int) -> "tuple[str, dict[str, Any], Any]":
    """Which devices there are, what the build says of itself, and each GPU's name and compute capability."""
    if rehearse:
        configuration = [tf.config.LogicalDeviceConfiguration() for _ in range(rehearse)]
        tf.config.set_logical_device_configuration(physical(tf, "CPU")[0], configuration)
    prepare(tf)
    gpus = []
    for number, gpu in enumerate(physical(tf, "GPU")):
        ask = getattr(tf.config.experimental, "get_device_details", None)
        details = ask(gpu) if ask else {}
        capability = ".".join(str(part) for part in details.get("compute_capability", ()))
        gpus.append({"device": f"GPU:{number}", "name": details.get("device_name", ""), "capability": capability})
    ask = getattr(getattr(tf, "sysconfig", None), "get_build_info", None)
    build = {key: value if isinstance(value, (bool, list)) else str(value) for key, value in (ask() if ask else {}).items()}
    data = {"gpus": gpus, "build": build, "cuda": bool(tf.test.is_built_with_cuda()), "rocm": bool(build.get("is_rocm_build"))}
    names = ["{} {}".format(gpu["device"], gpu["name"]).strip() for gpu in gpus]
    targets = [gpu["device"] for gpu in gpus] or [f"CPU:{number}" for number in range(rehearse)]
    return ", ".join(["CPU", *names]), data, targets


def on_gpu(cpu: Any, call: Any, tolerance: float) -> "tuple[str, dict[str, Any], Any]":
    """One check on a GPU, compared with NumPy by the check itself and with the CPU's result here."""
    detail, data, result = call()
    if cpu is not None:
        detail = "{}, {}".format(detail, compare(result, cpu, tolerance, "the CPU"))
    return detail, data, result


def all_reduce(tf: Any, targets: "list[Any]") -> "tuple[str, dict[str, Any], Any]":
    """The sum over all GPUs that distributed training makes, by NCCL."""
    strategy = tf.distribute.MirroredStrategy(
        devices=["/" + target for target in targets],
        cross_device_ops=tf.distribute.NcclAllReduce() if targets[0].startswith("GPU") else tf.distribute.ReductionToOneDevice(),
    )

    def replica() -> Any:
        context = tf.distribute.get_replica_context()
        number = tf.cast(context.replica_id_in_sync_group + 1, tf.float32)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, number * tf.constant(waves(64)))

    results = strategy.experimental_local_results(strategy.run(tf.function(replica)))
    reference = waves(64).astype(np.float64) * sum(range(1, len(targets) + 1))
    words = [compare(result.numpy(), reference) for result in results]
    return f"{len(targets)} devices: {words[0]}", {}, None


def run(record: Any, tf: Any, work: str, rehearse: int) -> None:
    """All checks that compute, on the CPU and then on every GPU."""
    targets = record.check("devices", "", lambda: devices(tf, rehearse)) or []
    cpu = Kernels(tf, "CPU:0", work)
    results = {name: record.check(name, "", getattr(cpu, method)) for name, method in EACH}
    for name, method in ONCE:
        record.check(name, "", getattr(cpu, method))
    for target in targets:
        kernels = Kernels(tf, target, work)
        for name, method in EACH:
            tolerance = TRAINING_TOLERANCE if name == "keras-fit" else TOLERANCE
            call = getattr(kernels, method)
            record.check(name, target, lambda call=call, name=name, tolerance=tolerance: on_gpu(results[name], call, tolerance))
    if len(targets) > 1:
        record.check("nccl", "", lambda: all_reduce(tf, targets))
