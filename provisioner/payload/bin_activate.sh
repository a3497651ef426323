# Written by tfsetup. `source bin/activate` (bash, zsh, sh) uses this environment where no conda is there to activate it; `deactivate` ends that.

# Who says `source activate NAME`, conda's old way, while this environment is in use finds this file first.
if [ -n "${1-}" ]; then
    conda activate "$@"
    return $?
fi

deactivate () {
    for _tfsetup_script in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do
        if [ -r "$_tfsetup_script" ]; then . "$_tfsetup_script"; fi
    done
    unset _tfsetup_script
    PATH="$_TFSETUP_OLD_PATH"
    export PATH
    if [ -n "${_TFSETUP_OLD_CONDA_PREFIX+x}" ]; then
        export CONDA_PREFIX="$_TFSETUP_OLD_CONDA_PREFIX"
    else
        unset CONDA_PREFIX
    fi
    if [ -n "${_TFSETUP_OLD_PS1+x}" ]; then PS1="$_TFSETUP_OLD_PS1"; fi
    unset _TFSETUP_OLD_PATH _TFSETUP_OLD_CONDA_PREFIX _TFSETUP_OLD_PS1
    hash -r 2> /dev/null
    if [ "${1-}" != nondestructive ]; then unset -f deactivate; fi
}

# Another one in use by a script such as this ends first.
if [ -n "${_TFSETUP_OLD_PATH+x}" ]; then deactivate nondestructive; fi

_TFSETUP_OLD_PATH="$PATH"
if [ -n "${CONDA_PREFIX+x}" ]; then _TFSETUP_OLD_CONDA_PREFIX="$CONDA_PREFIX"; fi
export CONDA_PREFIX=@PREFIX@
export PATH="$CONDA_PREFIX/bin:$PATH"
if [ -n "${PS1-}" ]; then
    _TFSETUP_OLD_PS1="$PS1"
    PS1="("@NAME@") $PS1"
fi
for _tfsetup_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    if [ -r "$_tfsetup_script" ]; then . "$_tfsetup_script"; fi
done
unset _tfsetup_script
hash -r 2> /dev/null
