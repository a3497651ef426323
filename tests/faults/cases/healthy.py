"""The opposite: environments in which nothing is wrong, though they are not as an installer left them. A finding here is a false alarm."""

from __future__ import annotations

from tests.faults.fault import healthy
from tests.faults.place import Place


@healthy("1.15")
def as_installed_1_15(place: Place) -> None:
    """Nothing was done."""


@healthy("2.3")
def as_installed_2_3(place: Place) -> None:
    """Nothing was done."""


@healthy("2.8")
def as_installed_2_8(place: Place) -> None:
    """Nothing was done."""


@healthy("2.21")
def as_installed_2_21(place: Place) -> None:
    """Nothing was done."""


@healthy("2.11-cuda")
def a_cuda_set_of_2_11_without_a_gpu(place: Place) -> None:
    """The image is built where there is no GPU, and runs where there is one."""


@healthy("2.15-cuda")
def a_cuda_set_of_2_15_without_a_gpu(place: Place) -> None:
    """The same, with CUDA 12."""


@healthy("2.17")
def with_jupyter_and_pandas(place: Place) -> None:
    """What people work with; its kernel is this environment's."""
    place.add("jupyterlab", "ipykernel", "pandas", "matplotlib", "scikit-learn")


@healthy("2.21")
def with_jax(place: Place) -> None:
    """JAX for the CPU beside it."""
    place.add("jax", "jaxlib")


@healthy("2.15")
def the_plain_name(place: Place) -> None:
    """``tensorflow`` in the place of ``tensorflow-cpu``, on a machine without a GPU, as most people have it."""
    place.uninstall("tensorflow-cpu")
    place.install("tensorflow==2.15.1")


@healthy("2.15")
def upgraded_within_its_limits(place: Place) -> None:
    """``pip install -U`` of what may be newer."""
    place.install("numpy==1.26.4", "protobuf==4.25.3", "typing-extensions==4.12.2", "h5py==3.11.0", "absl-py==2.1.0", "setuptools==69.5.1")


@healthy("2.15")
def with_add_ons_that_fit(place: Place) -> None:
    """Add-ons of the same release."""
    place.install("tensorflow-text==2.15.0", "tensorflow-hub==0.16.1", "tf-keras==2.15.1")


@healthy("2.8")
def a_folder_without_init(place: Place) -> None:
    """A checkout called tensorflow, and one called numpy, without ``__init__.py``: packages win over such folders (PEP 420)."""
    place.write(place.work / "tensorflow" / "README.md", "A fork\n")
    place.write(place.work / "numpy" / "notes.txt", "Notes\n")


@healthy("2.21")
def a_project_with_modules_of_its_own(place: Place) -> None:
    """Modules beside the program, and the project's folder on PYTHONPATH: names that nothing else has."""
    for name in ("train.py", "utils.py", "models/__init__.py", "data/loader.py"):
        place.write(place.work / name, "EPOCHS = 5\n")
    place.variables["PYTHONPATH"] = str(place.work)


@healthy("2.17")
def an_editable_install(place: Place) -> None:
    """The project itself is installed by a .pth file, as ``pip install -e .`` does it."""
    project = place.folder("project/src")
    place.write(project / "mymodel" / "__init__.py", "")
    place.write(place.site / "__editable__.mymodel-0.1.pth", f"{project}\n")


@healthy("2.11")
def variables_that_do_no_harm(place: Place) -> None:
    """What the start-up files of many people set."""
    place.variables.update(
        LD_LIBRARY_PATH="/usr/lib/x86_64-linux-gnu:/usr/local/lib",
        CUDA_VISIBLE_DEVICES="-1",
        TF_ENABLE_ONEDNN_OPTS="0",
        PYTHONUNBUFFERED="1",
        OMP_NUM_THREADS="2",
        KERAS_BACKEND="tensorflow",
    )


@healthy("2.8")
def the_systems_packages_are_seen(place: Place) -> None:
    """``--system-site-packages``, with things in ~/.local that TensorFlow does not use."""
    config = place.env / "pyvenv.cfg"
    place.write(config, config.read_text().replace("include-system-site-packages = false", "include-system-site-packages = true"))
    place.install_into(place.folder("home/.local/lib/python3.10/site-packages"), "tabulate==0.9.0")


@healthy("2.15")
def active(place: Place) -> None:
    """The environment is activated, as it should be."""
    place.variables.update(VIRTUAL_ENV=str(place.env), PATH=f"{place.bin}:/usr/bin:/bin")
