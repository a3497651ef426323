# Written by tfsetup; run by `conda deactivate`, and by the `deactivate` of this environment's bin/activate. Undoes activate.d/tfsetup.sh.
if [ -n "${TFSETUP_OLD_PYTHONNOUSERSITE+x}" ]; then
    export PYTHONNOUSERSITE="$TFSETUP_OLD_PYTHONNOUSERSITE"
    unset TFSETUP_OLD_PYTHONNOUSERSITE
else
    unset PYTHONNOUSERSITE
fi
if [ -n "${TFSETUP_OLD_LD_LIBRARY_PATH+x}" ]; then
    export LD_LIBRARY_PATH="$TFSETUP_OLD_LD_LIBRARY_PATH"
    unset TFSETUP_OLD_LD_LIBRARY_PATH
fi
if [ -n "${TFSETUP_XLA_FLAGS_SET+x}" ]; then
    if [ -n "${TFSETUP_OLD_XLA_FLAGS+x}" ]; then
        export XLA_FLAGS="$TFSETUP_OLD_XLA_FLAGS"
        unset TFSETUP_OLD_XLA_FLAGS
    else
        unset XLA_FLAGS
    fi
    unset TFSETUP_XLA_FLAGS_SET
fi
