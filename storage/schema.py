"""The whole schema: every module that declares tables, and the metadata that holds them all."""

from __future__ import annotations

from storage import (
    access_tables,
    case_tables,
    custody_tables,
    desk_tables,
    intake_tables,
    listening_tables,
    people_tables,
    quality_tables,
    search_tables,
    survey_tables,
    tables,
    transcript_tables,
    verdict_tables,
)

MODULES = (
    *(tables, custody_tables, access_tables, transcript_tables, verdict_tables, search_tables),
    *(people_tables, quality_tables, case_tables, survey_tables, listening_tables, intake_tables),
    desk_tables,
)

metadata = tables.metadata
