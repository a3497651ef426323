# Completion of tfsetup for bash. Now: eval "$(tfsetup completion bash)"; for always, put that line into ~/.bashrc.
_tfsetup() {
    local word=${COMP_WORDS[COMP_CWORD]} kind='' line
    COMPREPLY=()
    while IFS= read -r line; do
        if [ -z "$kind" ]; then
            kind=$line
        else
            COMPREPLY+=("$(printf '%q' "${line%%$'\t'*}")")
        fi
    done < <("${COMP_WORDS[0]/#\~/$HOME}" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    case $kind in
        *files*) compopt -o filenames 2>/dev/null; while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word") ;;
        *folders*) compopt -o filenames 2>/dev/null; while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$word") ;;
    esac
}
complete -F _tfsetup tfsetup
