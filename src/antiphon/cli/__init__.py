"""The command line: a command is one call of the node, and one or two lines of answer."""
