"""Engines run a chain of stages over tasks: the cores of one machine, behind an interface a cluster can fill."""
