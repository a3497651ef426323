#compdef tfsetup
# Completion of tfsetup for zsh. Now: eval "$(tfsetup completion zsh)"; for always, put that line into ~/.zshrc, after compinit.
_tfsetup() {
    local -a answer items
    local kind line
    answer=("${(@f)$(${~words[1]} completion zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    kind=$answer[1]
    for line in "${(@)answer[2,-1]}"; do
        items+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( $#items )) && _describe -V 'tfsetup' items
    [[ $kind == *files* ]] && _files
    [[ $kind == *folders* ]] && _files -/
    return 0
}
if [[ $funcstack[1] == _tfsetup ]]; then
    _tfsetup "$@"
else
    compdef _tfsetup tfsetup
fi
