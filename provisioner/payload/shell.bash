# What `tfsetup shell` has bash read: the person's own settings first, so that nothing in them comes before the environment.
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
if [ -f "$TFSETUP_ACTIVATE" ]; then . "$TFSETUP_ACTIVATE"; fi
unset TFSETUP_ACTIVATE
