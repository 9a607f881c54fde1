"""Writers of the formats in which exporters hand over public material: one module a family, real shapes."""
