"""Other people's questionnaires made into ours: pure functions from bytes to a source that compiles, and notes."""

from portal.questionnaires.rules.importers.draft import Imported
from portal.questionnaires.rules.importers.mapped import import_mapped
from portal.questionnaires.rules.importers.oscal import import_oscal
from portal.questionnaires.rules.importers.table import Table, import_table
from portal.questionnaires.rules.importers.vsaq import import_vsaq

__all__ = ["Imported", "Table", "import_mapped", "import_oscal", "import_table", "import_vsaq"]
