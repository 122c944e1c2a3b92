"""Everything that can go wrong, as one tree.

SanshengError
├── SettingsError            a setting is missing, unknown or out of range
├── MenuError                a menu file cannot be read or does not pass the linter
├── PromptError              a spoken prompt is missing or unusable
├── AsteriskError            Asterisk cannot be found, installed, started or reached
│   ├── AsteriskNotReady     it did not start, or did not become ready in time
│   ├── AmiError             the management link
│   │   ├── AmiLinkDown      not connected; the action was not carried out, or nobody knows whether
│   │   ├── AmiTimeout       no reply in time
│   │   ├── AmiRefused       Asterisk answered "Error"
│   │   └── UnsafeValue      a value holds a line break and would have injected an action
│   └── AgiError             one caller's menu session
│       ├── AgiEnded         the caller hung up, or the connection ended: there is nobody to talk to
│       ├── AgiTimeout       no reply in time; the session is unusable from here on
│       └── AgiGarbage       the peer does not speak AGI
├── StorageError             the ledger
│   ├── StorageUnavailable   the database cannot be reached: try again later
│   └── StorageRefused       the database refused the data: trying again changes nothing
├── SurveyError              a survey's design cannot be read, or an answer does not fit it
│   └── LinkGone               a one-time link that was used, has expired, or never was
├── CallbackError            a call-back is not in a state that allows this
│   └── NumberRefused          a telephone number that is not called
├── ReportError              a report cannot be made or written
├── FigureError              a figure that cannot be made: unknown, or not defined for what was asked
│   └── PeriodError          a period that does not exist or cannot be read
├── RecordingError           a recording cannot be taken in
├── CustodyError             a recording in custody cannot be stored, read or deleted
│   ├── AudioDamaged           what lies in the vault is not what was put there
│   ├── AudioGone              deleted under its retention policy: the key is destroyed
│   └── KeyMissing             the master key that is needed is not there
├── AttachmentRefused        a file that cannot be taken: empty, too large, too many, of a kind that is not taken
├── AccessDenied             the right or the reason that this needs is missing
├── PeopleError              somebody cannot be added or changed so
│   └── WeakPassword         a password that others would guess
├── BackupError              a backup cannot be made, or what is restored is not what was saved
├── ModelError               a speech model is missing, damaged or unknown
├── TranscriptionError       a leg cannot be transcribed
├── SearchError              what was asked for cannot be searched
├── QualityError             scoring, sampling, calibration, appeals
│   ├── FormFaulty             a scoring form that cannot be published, or a sheet that does not fit its form
│   ├── NotNow                 the step does not follow from where the matter stands: decided already, term over
│   └── Overtaken              somebody else saved in between; nothing of theirs was touched
├── CaseError                inquiries, work orders and complaints
│   ├── CaseRefused            the flow does not allow it, or something that is required is missing
│   ├── CaseConflict           somebody else has changed it meanwhile: both versions are at hand
│   └── CaseUnknown            there is no case of this number
└── RuleError                a rule set cannot be read, or fails its own examples
"""

from __future__ import annotations


class SanshengError(Exception):
    """Base of all errors that this product raises on purpose."""


class SettingsError(SanshengError):
    """A setting is missing, unknown or out of range."""


class MenuError(SanshengError):
    """A menu file cannot be read, or the linter refuses it."""


class PromptError(SanshengError):
    """A spoken prompt is missing or unusable."""


class AsteriskError(SanshengError):
    """Asterisk cannot be found, installed, started or reached."""


class AsteriskNotReady(AsteriskError):
    """Asterisk did not start, or did not become ready in time."""


class AmiError(AsteriskError):
    """The management link failed."""


class AmiLinkDown(AmiError):
    """Not connected: the action was not carried out, or nobody knows whether it was."""


class AmiTimeout(AmiError):
    """Asterisk did not reply in time."""


class AmiRefused(AmiError):
    """Asterisk answered ``Error``; the message is Asterisk's own."""


class UnsafeValue(AmiError):
    """A value holds a line break or NUL and would have injected an action."""


class AgiError(AsteriskError):
    """One caller's menu session failed."""


class AgiEnded(AgiError):
    """The caller hung up or the connection ended: there is nobody to talk to."""


class AgiTimeout(AgiError):
    """No reply in time; the session is unusable from here on."""


class AgiGarbage(AgiError):
    """The peer does not speak AGI."""


class StorageError(SanshengError):
    """The ledger failed."""


class StorageUnavailable(StorageError):
    """The database cannot be reached: trying again later may help."""


class StorageRefused(StorageError):
    """The database refused the data: trying again changes nothing."""


class SurveyError(SanshengError):
    """A survey's design cannot be read, or an answer does not fit it."""


class LinkGone(SurveyError):
    """A one-time link that was used, has expired, or never was."""


class CallbackError(SanshengError):
    """A call-back is not in a state that allows this, or somebody else was faster."""


class NumberRefused(CallbackError):
    """A telephone number that is not called. The message does not name it."""


class ReportError(SanshengError):
    """A report cannot be made or written."""


class FigureError(SanshengError):
    """A figure that cannot be made: an unknown indicator or version, or one not defined for what was asked."""


class PeriodError(FigureError):
    """A period that does not exist, or whose label cannot be read."""


class RecordingError(SanshengError):
    """A recording cannot be taken in."""


class CustodyError(SanshengError):
    """A recording in custody cannot be stored, read or deleted."""


class AudioDamaged(CustodyError):
    """What lies in the vault is not what was put there."""


class AudioGone(CustodyError):
    """Deleted under its retention policy: the key is destroyed."""


class KeyMissing(CustodyError):
    """The master key that is needed is not there."""


class AttachmentRefused(SanshengError):
    """A file that cannot be taken; ``why`` is a word for the reader's language: empty, large, many, kind,
    harmful, unscanned."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the file cannot be taken ({why})")
        self.why = why


class AccessDenied(SanshengError):
    """The right or the reason that this needs is missing."""


class PeopleError(SanshengError):
    """Somebody cannot be added or changed so: the name is taken, unknown, or the last administrator's."""


class WeakPassword(PeopleError):
    """A password that others would guess. The message says why, and does not quote it."""


class BackupError(SanshengError):
    """A backup cannot be made, or what is restored is not what was saved."""


class ModelError(SanshengError):
    """A speech model is missing, damaged or unknown."""


class TranscriptionError(SanshengError):
    """A leg cannot be transcribed."""


class SearchError(SanshengError):
    """What was asked for cannot be searched."""


class CaseError(SanshengError):
    """Something about an inquiry, a work order or a complaint."""


class CaseRefused(CaseError):
    """The flow does not allow it, or something that is required is missing."""


class CaseConflict(CaseError):
    """Somebody else has changed it meanwhile; nothing was written. Carries where it stands now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"changed meanwhile: it is at version {version} now")
        self.version = version


class CaseUnknown(CaseError):
    """There is no case of this number."""


class RuleError(SanshengError):
    """A rule set cannot be read, or fails its own examples."""


class QualityError(SanshengError):
    """Scoring, sampling, calibration or an appeal: what was asked for cannot be done."""


class FormFaulty(QualityError):
    """A scoring form that cannot be published, or a filled-in sheet that does not fit its form."""


class NotNow(QualityError):
    """The step does not follow from where the matter stands: decided already, or the term is over."""


class Overtaken(QualityError):
    """Somebody else saved in between. Nothing of theirs was touched; what is at hand is kept by the caller."""
