# Written by tfsetup; run by `conda activate`. deactivate.d/tfsetup.fish undoes it. What it does, and why: activate.d/tfsetup.sh.
if set -q PYTHONNOUSERSITE
    set -gx TFSETUP_OLD_PYTHONNOUSERSITE $PYTHONNOUSERSITE
end
set -gx PYTHONNOUSERSITE 1
if test -n "@LIBRARIES@" -a -n "$LD_LIBRARY_PATH"
    set -gx TFSETUP_OLD_LD_LIBRARY_PATH "$LD_LIBRARY_PATH"
    set -gx LD_LIBRARY_PATH "$CONDA_PREFIX/@LIBRARIES@:$LD_LIBRARY_PATH"
end
if test -n "@CUDA@"; and not string match -q -- "*--xla_gpu_cuda_data_dir*" "$XLA_FLAGS"
    for folder in "$CONDA_PREFIX" "$CONDA_PREFIX/targets/x86_64-linux"
        if test -d "$folder/nvvm/libdevice"
            if set -q XLA_FLAGS
                set -gx TFSETUP_OLD_XLA_FLAGS "$XLA_FLAGS"
            end
            set -gx TFSETUP_XLA_FLAGS_SET 1
            set -gx XLA_FLAGS (string trim -- "$XLA_FLAGS --xla_gpu_cuda_data_dir=$folder")
            break
        end
    end
end
