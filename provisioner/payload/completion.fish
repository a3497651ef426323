# Completion of tfsetup for fish. Now: tfsetup completion fish | source; for always: tfsetup completion fish > ~/.config/fish/completions/tfsetup.fish
function __tfsetup_complete
    set -l tokens (commandline -opc)
    set -l word (commandline -ct)
    set -l program $tokens[1]
    set -e tokens[1]
    set -l answer ($program completion fish -- $tokens "$word" 2>/dev/null)
    set -l kind $answer[1]
    set -e answer[1]
    test (count $answer) -gt 0; and printf '%s\n' $answer
    string match -q '*files*' -- $kind; and __fish_complete_path "$word"
    string match -q '*folders*' -- $kind; and __fish_complete_directories "$word"
end
complete -c tfsetup -f -k -a '(__tfsetup_complete)'
