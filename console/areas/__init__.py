"""The console's areas: groups of pages, each in a module of its own."""

from __future__ import annotations

from console.api import KpiApi
from console.areas.access_log import AccessLogArea
from console.areas.account import Account
from console.areas.attachments import AttachmentsArea
from console.areas.callbacks import CallbackArea
from console.areas.case_api import CaseApi
from console.areas.case_figures import CaseFiguresArea
from console.areas.case_filing import FilingArea
from console.areas.cases import CasesArea
from console.areas.configuration import ConfigurationArea
from console.areas.counted import CountedArea
from console.areas.day import DayArea
from console.areas.desk import DeskArea
from console.areas.failed_sign_ins import FailedSignInsArea
from console.areas.intake import IntakeArea
from console.areas.listening import listening_areas
from console.areas.login import Login
from console.areas.oidc import OidcLogin
from console.areas.operations import OperationsArea
from console.areas.order_api import OrderApi
from console.areas.order_filing import OrderFilingArea
from console.areas.people import PeopleArea
from console.areas.quality import quality_areas
from console.areas.start import Start
from console.areas.survey import SurveyPages
from console.areas.systems_api import SystemsApi
from console.areas.team import TeamArea
from console.areas.work_orders import OrdersArea
from console.parts import Parts
from console.routes import Area


def areas(parts: Parts) -> list[Area]:
    """All of them. What needs the service's own loop (the live board, metrics) is in ``console/app.py``."""
    return [
        Start(parts),
        Login(parts),
        OidcLogin(parts),
        Account(parts),
        PeopleArea(parts),
        AccessLogArea(parts),
        FailedSignInsArea(parts),
        DeskArea(parts, parts.desk),
        CountedArea(parts),  # before the call-backs, of which its address could be a number
        CallbackArea(parts, parts.desk),
        DayArea(parts, parts.desk),
        CasesArea(parts),
        FilingArea(parts),
        OrderFilingArea(parts),
        OrdersArea(parts),
        CaseFiguresArea(parts),
        CaseApi(parts),
        OrderApi(parts),
        SystemsApi(parts),
        SurveyPages(parts),
        IntakeArea(parts, parts.intake),
        TeamArea(parts, parts.team),
        OperationsArea(parts, parts.ops),
        ConfigurationArea(parts, parts.configuration),
        AttachmentsArea(parts),
        KpiApi(parts.figures, parts.clock, parts.zone),
        *listening_areas(parts),
        *quality_areas(parts),
    ]
