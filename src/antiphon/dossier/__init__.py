"""The dossier: what a run found, as one page that opens from disk, as data, and as whole tables.

The page is for human reviewers. It shows material as data, never as a verdict, and no author in any form.
"""

from __future__ import annotations

from antiphon.dossier.interface import About, Caps, DossierSource
from antiphon.dossier.write import export_tables, write_dossier

__all__ = ["About", "Caps", "DossierSource", "export_tables", "write_dossier"]
