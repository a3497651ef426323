"""tensorflow, or a part of it, is not there or not what is expected: not installed, another Python, hidden, damaged, or another generation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from provisioner.diagnose.log.circumstances import numbers
from provisioner.diagnose.log.recognising import Hit
from provisioner.diagnose.log.verdict import Case, Verdict, plain, says

# Names that TensorFlow 2 no longer has at the top (tensorflow/tools/compatibility/renames_v2.py, reorders_v2.py).
_OF_TF1 = frozenset(
    """
    placeholder placeholder_with_default Session InteractiveSession ConfigProto GPUOptions OptimizerOptions RunOptions RunMetadata GraphOptions
    contrib app flags logging layers get_variable variable_scope get_variable_scope global_variables_initializer initialize_all_variables
    local_variables_initializer variables_initializer initialize_local_variables all_variables trainable_variables global_variables
    local_variables model_variables moving_average_variables reset_default_graph get_default_graph get_default_session set_random_seed get_seed
    AUTO_REUSE GraphDef MetaGraphDef NodeDef Event Summary SummaryMetadata HistogramProto log log1p to_float to_int32 to_int64 to_double
    to_bfloat16 random_uniform random_normal truncated_normal random_shuffle random_crop multinomial random_gamma random_poisson mul sub neg
    div div_no_nan pack unpack concat_v2 gfile merge_all_summaries scalar_summary histogram_summary image_summary merge_summary Print print_v2
    py_func assign assign_add assign_sub scatter_update scatter_add batch_matmul batch_to_space space_to_batch matrix_inverse matrix_determinant
    matrix_solve cholesky svd_ self_adjoint_eig is_nan is_inf is_finite ceil floordiv mod_ lbeta rsqrt erf lgamma digamma acos_ fft ifft
    sparse_placeholder sparse_to_dense sparse_tensor_to_dense sparse_tensor_dense_matmul string_to_number string_split string_join
    read_file write_file matching_files decode_raw parse_single_example parse_example FixedLenFeature VarLenFeature
    FixedLengthRecordReader TFRecordReader WholeFileReader TextLineReader FIFOQueue RandomShuffleQueue TensorArray_ GraphKeys
    enable_eager_execution disable_eager_execution enable_v2_behavior disable_v2_behavior disable_resource_variables report_uninitialized_variables
    add_to_collection get_collection add_check_numerics_ops assert_variables_initialized is_variable_initialized count_up_to
    arg_max arg_min argmax_ confusion_matrix convert_to_tensor_or_sparse_tensor create_partitioned_variables delete_session_tensor
    Dimension op_scope variable_op_scope name_scope_ fixed_size_partitioner glorot_uniform_initializer glorot_normal_initializer
    constant_initializer_ random_normal_initializer_ truncated_normal_initializer uniform_unit_scaling_initializer variance_scaling_initializer
    hparam resource_loader test_ tables_initializer initialize_all_tables verify_tensor_all_finite where_v2 FileWriter scalar merge_all merge
    histogram AdamOptimizer GradientDescentOptimizer AdagradOptimizer RMSPropOptimizer MomentumOptimizer AdadeltaOptimizer FtrlOptimizer
    Saver Supervisor MonitoredTrainingSession MonitoredSession Coordinator_ start_queue_runners QueueRunner batch shuffle_batch
    string_input_producer slice_input_producer get_global_step get_or_create_global_step create_global_step global_step exponential_decay
    polynomial_decay piecewise_constant cosine_decay SessionRunHook_ import_meta_graph export_meta_graph write_graph NewCheckpointReader
    sparse_softmax_cross_entropy sigmoid_cross_entropy softmax_cross_entropy get_total_loss get_losses mean_squared_error add_loss
    rnn_cell static_rnn dynamic_rnn bidirectional_dynamic_rnn static_bidirectional_rnn raw_rnn seq2seq xw_plus_b max_pool_v2
    softmax_cross_entropy_with_logits_v2 resize_images resize_bicubic resize_bilinear resize_nearest_neighbor resize_image_with_crop_or_pad
    FastGFile GFile python_io TFRecordOptions_ make_one_shot_iterator make_initializable_iterator
    disable_eager_execution_ estimator_ dense conv2d_ batch_normalization_ dropout_ max_pooling2d flatten BasicLSTMCell LSTMCell_ GRUCell_
    set_verbosity
    """.replace("_ ", " ").split()
)
# Names that every TensorFlow has: where they are missing, the package is empty, cut off or another module.
_ALWAYS = frozenset(
    [
        "__version__",
        "version",
        "Variable",
        "constant",
        "compat",
        "python",
        "Tensor",
        "keras",
        "float32",
        "int32",
        "shape",
        "zeros",
        "ones",
        "add",
        "matmul",
        "nn",
        "train",
        "math",
        "io",
        "Graph",
        "cast",
    ]
)
# Names that only a later release has than the one that runs.
_OF_TF2 = frozenset(
    [
        "function",
        "GradientTape",
        "data",
        "config",
        "distribute",
        "random",
        "image",
        "summary",
        "autograph",
        "Module",
        "types",
        "RaggedTensor",
        "lookup",
        "strings",
        "saved_model",
        "experimental",
    ]
)
_INSTALLED = ("already", "installed-ok")


def missing(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """No module named tensorflow: not installed, or installed for another interpreter than the one that runs."""
    now = case.circumstances
    hit = max(hits, key=lambda item: (item.message.specific, -item.offset))
    if hit.message.id == "import-tf-line" and not re.search(r"ModuleNotFoundError|No module named", case.log.text):
        return
    known_there = case.has(*_INSTALLED) or bool(re.search(r"^tensorflow(-\w+)? +\d+\.\d+", case.log.text, re.MULTILINE))
    elsewhere = known_there or (bool(now.tensorflow) and not now.wanted)
    notebook = now.notebook or "kernel" in now.told
    if elsewhere or notebook:
        why = "it is installed, but not for the interpreter that runs" if elsewhere else "a notebook runs in the interpreter of its kernel"
        yield says(hit, "wrong-environment", "likely" if elsewhere else "possible", specific=7, why=why)
        yield says(hit, "tf-not-installed", "likely", specific=6)
        return
    yield says(hit, "tf-not-installed", "likely", specific=7)
    yield says(hit, "wrong-environment", "possible", specific=6)


def attribute(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A name that is not in tensorflow: one of TensorFlow 1, one that is always there, or one of Keras."""
    for hit in hits:
        if hit.message.id == "module-attribute" and not re.search(r"\btf\.|tensorflow", case.log.text) and hit.group("name") not in _OF_TF1:
            yield plain(hit)
        else:
            yield from _attribute(hit, case)


def _attribute(hit: Hit, case: Case) -> Iterator[Verdict]:
    module, name = hit.group("module").lower() or "tensorflow", hit.group("name")
    if module == "tensorflow" and re.search(r"File \"(?![^\"\n]*(site|dist)-packages)[^\"\n]{0,200}tensorflow\.py\"", case.log.text):
        yield says(hit, "module-shadowed", specific=9, why="a file called tensorflow.py is imported in place of TensorFlow")
    lowered = case.log.text.lower()
    one = numbers(case.circumstances.tensorflow)[:1] == (1,)
    if "keras" in module or "__internal__" in module:
        # tf.__internal__ is there for Keras alone (tensorflow/python/util/tf_export.py).
        yield says(hit, "keras-incompatible", specific=7)
        yield says(hit, "conflicting-tf-packages", "possible", specific=4)
        yield says(hit, "install-corrupt", "possible", specific=3)
    elif (
        module in {"tensorflow", "tensorflow_core"} and name in {"compat", "io", "__internal__"} and re.search(r"estimator|keras", lowered)
    ):
        yield says(hit, "keras-incompatible", specific=7, why="the estimator or Keras beside TensorFlow asks for a name of another release")
        yield says(hit, "install-corrupt", "possible", specific=6)
    elif module == "tensorflow" and name == "estimator":
        yield says(
            hit,
            "keras-incompatible",
            "likely",
            specific=7,
            why="tensorflow-estimator is missing, or TensorFlow is 2.16 or later and has none",
        )
        yield says(hit, "tf1-code-on-tf2", "likely", specific=6)
    elif re.search(r"_api\.v\d|summary\._tf|compat\.v2", module) or (module.startswith("tensorflow") and name in _OF_TF1 and not one):
        yield says(hit, "tf1-code-on-tf2", specific=8)
    elif module in {"tensorflow", "tensorflow_core"} and name in _ALWAYS:
        yield from _empty(hit, case)
    elif module.startswith("tensorflow.contrib") or module.startswith("tensorflow.examples"):
        yield says(hit, "tf1-code-on-tf2", specific=8)
    elif module.startswith("tensorflow.python") or module.startswith("tensorflow_core.python"):
        yield says(
            hit,
            "install-corrupt",
            "possible",
            specific=6,
            why="a part of TensorFlow asks another part for a name: they are of two releases",
        )
        yield says(hit, "conflicting-tf-packages", "possible", specific=5)
        yield says(hit, "keras-incompatible", "possible", specific=4)
    elif name in _OF_TF2 or one:
        yield says(hit, "user-code", "possible", specific=5, why="the name is of a later TensorFlow than the one that runs")
        yield says(hit, "install-corrupt", "possible", specific=4)
        yield says(hit, "module-shadowed", "possible", specific=3)
    elif module in {"tensorflow", "tensorflow_core"}:
        yield says(hit, "tf1-code-on-tf2", "possible", specific=5)
        yield says(hit, "install-corrupt", "possible", specific=4)
        yield says(hit, "module-shadowed", "possible", specific=3)
    elif re.match(
        r"tensorflow_(addons|text|io|probability|hub|datasets|metadata|transform|model_analysis|graphics|quantum|federated)", module
    ):
        yield says(hit, "extension-abi-mismatch", "possible", specific=5)
        yield says(hit, "dependency-incompatible", "possible", specific=4)
    elif module.startswith("tensorflow_estimator"):
        yield says(hit, "keras-incompatible", specific=6)
    else:
        yield says(hit, "install-corrupt", "possible", specific=4)
        yield says(hit, "dependency-incompatible", "possible", specific=3)


def _empty(hit: Hit, case: Case) -> Iterator[Verdict]:
    """The module has nothing in it: files are missing, or another file or folder called tensorflow was imported."""
    shadow = re.search(r"File \"[^\"\n]{0,200}[\\/]?tensorflow\.py\"|partially initialized", case.log.text)
    if shadow:
        yield says(hit, "module-shadowed", "likely", specific=8)
        yield says(hit, "install-corrupt", "possible", specific=5)
        return
    yield says(hit, "install-corrupt", "likely", specific=6)
    yield says(hit, "module-shadowed", "possible", specific=5)
    yield says(hit, "conflicting-tf-packages", "possible", specific=4)


def namespace(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """A folder without ``__init__.py``: what an uninstall left, or a folder of the user's own."""
    yield plain(hits[0])
    yield says(hits[0], "module-shadowed", "possible", specific=5)
    yield says(hits[0], "conflicting-tf-packages", "possible", specific=4)


def submodule(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A part of the package is missing: the wrong generation, another module of that name, or damage."""
    hit = hits[0]
    module = hit.group("module").lower()
    one = numbers(case.circumstances.tensorflow)[:1] == (1,)
    if re.search(r"keras", module):
        yield says(hit, "keras-incompatible", specific=7)
        yield says(hit, "install-corrupt", "possible", specific=4)
    elif "is not a package" in hit.seen:
        yield says(hit, "module-shadowed", specific=7, why="a module of that name stands in the way of the package")
        yield says(hit, "install-corrupt", "possible", specific=6)
    elif re.search(r"\.(contrib|examples|models|tensorboard)\b", module):
        yield says(hit, "tf1-code-on-tf2", specific=8)
    elif re.search(
        r"\.(compat|python\.(platform|framework|ops|tools|util|training|client|eager|data|lib|saved_model|distribute)|_api|core|tsl|tools|lite)\b",
        module,
    ):
        own = re.search(r"(site|dist)-packages[\\/]tensorflow\w*[\\/]", case.log.text)
        first, second = ("install-corrupt", "tf1-code-on-tf2") if own else ("install-corrupt", "module-shadowed")
        yield says(hit, first, specific=6)
        yield says(hit, second, "possible", specific=4)
        yield says(hit, "conflicting-tf-packages", "possible", specific=3)
    elif one:
        yield says(hit, "user-code", "possible", specific=5, why="the name is of a later TensorFlow than the one that runs")
        yield says(hit, "install-corrupt", "possible", specific=4)
    else:
        yield says(hit, "install-corrupt", "possible", specific=5)
        yield says(hit, "tf1-code-on-tf2", "possible", specific=4)
        yield says(hit, "module-shadowed", "possible", specific=3)


def bare_name(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Python before 3.7 does not say from where: the line above does."""
    for hit in hits:
        before = case.log.text[max(0, hit.offset - 700) : hit.offset]
        lines = re.findall(r"from ([\w.]+) import", before)
        module = lines[-1] if lines else ""
        files = re.findall(r"(?:site|dist)-packages[\\/](\w+)", before)
        if re.match(r"tensorflow\.(python\.)?keras", module) and files and files[-1] == "tensorflow":
            yield says(
                hit,
                "conflicting-tf-packages",
                "possible",
                specific=6,
                why="a part of TensorFlow asks another part for a name: they are of two releases",
            )
            yield says(hit, "install-corrupt", "possible", specific=5)
            yield says(hit, "keras-incompatible", "possible", specific=4)
        elif "keras" in module or (files and files[-1] in {"keras", "tensorflow_estimator", "tf_keras"}):
            yield says(hit, "keras-incompatible", specific=6)
        elif "protobuf" in module:
            yield says(hit, "protobuf-incompatible", specific=7)
        elif module.startswith("numpy"):
            yield says(hit, "numpy-incompatible", specific=7)
        elif module.startswith(("tensorflow.contrib", "tensorflow.examples", "tensorflow.models")):
            yield says(hit, "tf1-code-on-tf2", specific=8)
        elif module.startswith("tensorflow") or (files and files[-1].startswith("tensorflow")):
            yield says(hit, "install-corrupt", "possible", specific=6)
            yield says(hit, "conflicting-tf-packages", "possible", specific=5)
            yield says(hit, "tf1-code-on-tf2", "possible", specific=4)
        else:
            yield plain(hit)


def shadow(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A file of the user's own with the name of a module; a file inside an installation is no such thing."""
    for hit in hits:
        if hit.message.id != "own-file":
            if re.search(r"(circular import|partially)", hit.seen) and not re.search(r"'tensorflow'|\btf\b", hit.seen):
                yield says(hit, "module-shadowed", "possible", specific=4)
                yield says(hit, "install-corrupt", "possible", specific=3)
            else:
                yield plain(hit)
            continue
        path = hit.group("own").replace("\\", "/").lower()
        outside = not re.search(r"(site|dist)-packages|/lib/python|python\d[\d.]*/lib|/lib/|frozen|/python\d|\.framework/|_bazel", path)
        failing = re.search(r"(ImportError|ModuleNotFoundError|AttributeError|TypeError)", case.log.text)
        following = case.log.text[hit.offset : hit.offset + 400]
        if outside and failing and re.search(r"import|tensorflow", following):
            yield says(hit, "module-shadowed", specific=7, why="the file has the name of a module that TensorFlow or Python imports")


def pythons(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The frames of one traceback lie in packages of another Python than the one that runs."""
    running = re.search(r"^\W{0,4}Python (\d\.\d+)\.\d+\b", case.log.text, re.MULTILINE)
    folders = re.findall(r"File \"[^\"\n]*/python(\d\.\d+)/(?:site|dist)-packages/", case.log.text)
    used = set(folders) | ({running[1]} if running else set())
    if folders and len(used) > 1:
        why = f"Python {' and '.join(sorted(used))} are mixed: packages of one are on the path of the other"
        place = case.log.text.find(f"/python{folders[-1]}/")
        index = case.log.index_at(max(0, place))
        frame = replace(hits[0], seen=case.log.line(index)[:300], line=case.log.numbers[index], offset=place)
        yield says(frame, "environment-leak", specific=7, why=why)


def source_tree(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Old releases print this under every failed import: it counts only where nothing else does."""
    others = any(hit.message.kind == "fault" and hit.message.specific > 5 for hit in case.hits)  # noqa: PLR2004 - above what is typical
    yield says(hits[0], "module-shadowed", "possible", specific=1 if others else 4)


def pywrap(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The compiled part is not found: damaged, or of another Python."""
    hit = hits[0]
    deeper = any(other.message.kind == "fault" and other.message.specific > 5 and other.message.topic != "pywrap" for other in case.hits)  # noqa: PLR2004 - above what is typical
    yield says(hit, "install-corrupt", "possible", specific=2 if deeper else 6)
    if case.circumstances.os == "windows" and not deeper:
        yield says(hit, "msvc-redist-missing", "possible", specific=6)
    if deeper:
        return
    if re.search(r"File \"(?!/|[A-Za-z]:)[^\"\n]*tensorflow/", case.log.text):
        yield says(hit, "module-shadowed", "likely", specific=7)
    else:
        yield says(hit, "module-shadowed", "possible", specific=2)


def python_mismatch(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Modules of two Pythons: leaked in by a path, or installed for another one."""
    yield plain(hits[0])
    yield says(hits[0], "python-unsupported", "possible", specific=4)
    yield says(hits[0], "wrong-environment", "possible", specific=3)


def syntax(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A syntax error in an installed file means a Python that the release is not for; in the user's file, the user's program."""
    for hit in hits:
        before = case.log.text[max(0, hit.offset - 400) : hit.offset]
        installed = re.findall(r"File \"([^\"\n]+)\"", before)
        if installed and re.search(r"site-packages|dist-packages", installed[-1]):
            yield says(hit, "python-unsupported", specific=7, why="a file of an installed package is not of this Python's language")
            yield says(hit, "install-corrupt", "possible", specific=5)
        else:
            yield plain(hit)


JUDGEMENTS = {
    "tfmissing": missing,
    "attribute": attribute,
    "namespace": namespace,
    "submodule": submodule,
    "barename": bare_name,
    "shadow": shadow,
    "pythons": pythons,
    "sourcetree": source_tree,
    "pywrap": pywrap,
    "pymismatch": python_mismatch,
    "syntax": syntax,
}
