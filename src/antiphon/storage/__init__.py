"""Where results are kept: the lake of machine results."""
