"""What README and the pages say, held against the commands themselves."""
