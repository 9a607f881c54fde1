"""Analysis: MATERIALS to FINDINGS; language, discourse, classifier, calibration, explanation."""

from antiphon.analysis.cascade import CascadeAnalyser
from antiphon.analysis.interface import Analyser, Example
from antiphon.analysis.linear import LinearAnalyser

__all__ = ["Analyser", "CascadeAnalyser", "Example", "LinearAnalyser"]
