# Written by tfsetup; run by `conda activate`, and by this environment's bin/activate. deactivate.d/tfsetup.sh undoes it.
# Packages of the user's own folder (~/.local) would be taken in place of this environment's.
if [ -n "${PYTHONNOUSERSITE+x}" ]; then export TFSETUP_OLD_PYTHONNOUSERSITE="$PYTHONNOUSERSITE"; fi
export PYTHONNOUSERSITE=1
# Whatever is in LD_LIBRARY_PATH comes before the libraries that TensorFlow finds by itself: this environment's go first.
if [ -n "@LIBRARIES@" ] && [ -n "${LD_LIBRARY_PATH-}" ]; then
    export TFSETUP_OLD_LD_LIBRARY_PATH="$LD_LIBRARY_PATH"
    export LD_LIBRARY_PATH="$CONDA_PREFIX/@LIBRARIES@:$LD_LIBRARY_PATH"
fi
# XLA does not look for its libdevice in a conda environment.
if [ -n "@CUDA@" ]; then
    case "${XLA_FLAGS-}" in
        *--xla_gpu_cuda_data_dir*) ;;
        *)
            for _tfsetup_folder in "$CONDA_PREFIX" "$CONDA_PREFIX/targets/x86_64-linux"; do
                if [ -d "$_tfsetup_folder/nvvm/libdevice" ]; then
                    if [ -n "${XLA_FLAGS+x}" ]; then export TFSETUP_OLD_XLA_FLAGS="$XLA_FLAGS"; fi
                    export TFSETUP_XLA_FLAGS_SET=1
                    export XLA_FLAGS="${XLA_FLAGS:+$XLA_FLAGS }--xla_gpu_cuda_data_dir=$_tfsetup_folder"
                    break
                fi
            done
            unset _tfsetup_folder
            ;;
    esac
fi
