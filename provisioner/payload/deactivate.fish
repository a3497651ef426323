# Written by tfsetup; run by `conda deactivate`. Undoes activate.d/tfsetup.fish.
if set -q TFSETUP_OLD_PYTHONNOUSERSITE
    set -gx PYTHONNOUSERSITE $TFSETUP_OLD_PYTHONNOUSERSITE
    set -e TFSETUP_OLD_PYTHONNOUSERSITE
else
    set -e PYTHONNOUSERSITE
end
if set -q TFSETUP_OLD_LD_LIBRARY_PATH
    set -gx LD_LIBRARY_PATH "$TFSETUP_OLD_LD_LIBRARY_PATH"
    set -e TFSETUP_OLD_LD_LIBRARY_PATH
end
if set -q TFSETUP_XLA_FLAGS_SET
    if set -q TFSETUP_OLD_XLA_FLAGS
        set -gx XLA_FLAGS "$TFSETUP_OLD_XLA_FLAGS"
        set -e TFSETUP_OLD_XLA_FLAGS
    else
        set -e XLA_FLAGS
    end
    set -e TFSETUP_XLA_FLAGS_SET
end
