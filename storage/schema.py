"""The whole schema: every module that declares tables, and the metadata that holds them all."""

from __future__ import annotations

from storage import access_tables, custody_tables, search_tables, tables, transcript_tables, verdict_tables

MODULES = (tables, custody_tables, access_tables, transcript_tables, verdict_tables, search_tables)

metadata = tables.metadata
