"""What the hotline says and where each spoken file lies.

`prompts/prompts.toml` holds the texts; beside it lies one folder of audio per language:

    prompts/zh-CN/welcome.wav           spoken by `asterisk_conf.speak_prompts`
    prompts/zh-CN/studio/welcome.wav    a studio recording: it wins, and the generator never touches it
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from calls.errors import PromptError

Language: TypeAlias = str  # a BCP 47 tag: "zh-CN", "en"
PromptId: TypeAlias = str

PROMPTS_DIR = Path(__file__).parent / "prompts"
MANIFEST_FILE = PROMPTS_DIR / "prompts.toml"
STUDIO = "studio"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every prompt's text. `texts` has one mapping per language, in the order of the hotline's
    preference; `pronunciations` says how a word is said that a voice would get wrong (pinyin, phonemes).
    """

    texts: Mapping[Language, Mapping[PromptId, str]]
    pronunciations: Mapping[Language, Mapping[str, str]]

    @property
    def languages(self) -> tuple[Language, ...]:
        """The languages, the hotline's own first."""
        return tuple(self.texts)

    @property
    def available(self) -> dict[Language, frozenset[PromptId]]:
        """The prompt ids of each language, as the menu linter asks for them."""
        return {language: frozenset(texts) for language, texts in self.texts.items()}


def load_manifest(path: Path = MANIFEST_FILE) -> Manifest:
    """Read and check the texts.

    Raises `PromptError` for a file that cannot be read, an unknown language, an empty text, an id that
    is given twice, or an announcement that a language lacks.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"{path}: {error}") from error
    unknown = data.keys() - {"languages", "prompts", "parts", "pronunciations"}
    if unknown:
        raise PromptError(f"{path}: unknown key {min(unknown)!r}")
    languages = tuple(cast("list[str]", data.get("languages", [])))
    prompts = _texts(path, data.get("prompts", {}), languages)
    parts = _texts(path, data.get("parts", {}), languages)
    for prompt in prompts:
        if prompt in parts:
            raise PromptError(f"{path}: {prompt!r} is both a prompt and a part")
        for language in languages:
            if language not in prompts[prompt]:
                raise PromptError(f"{path}: {prompt!r} has no text in {language}")
    both = prompts | parts
    return Manifest(
        texts={tag: {id_: by[tag] for id_, by in both.items() if tag in by} for tag in languages},
        pronunciations=_texts(path, data.get("pronunciations", {}), None),
    )


def _texts(path: Path, table: object, languages: Collection[Language] | None) -> dict[str, dict[str, str]]:
    """A table of tables of texts that are not empty; with `languages`, these are the only inner keys."""
    if not isinstance(table, dict) or not all(isinstance(inner, dict) for inner in table.values()):
        raise PromptError(f"{path}: expected a table of tables")
    for name, inner in table.items():
        for key, text in inner.items():
            if languages is not None and key not in languages:
                raise PromptError(f"{path}: {name!r} has an unknown language {key!r}")
            if not isinstance(text, str) or not text.strip():
                raise PromptError(f"{path}: {name!r} has no text for {key!r}")
    return cast("dict[str, dict[str, str]]", table)


def generated_file(language: Language, prompt: PromptId, root: Path = PROMPTS_DIR) -> Path:
    """Where the generator puts a prompt, whether or not it is there."""
    return root / language / f"{prompt}.wav"


def studio_file(language: Language, prompt: PromptId, root: Path = PROMPTS_DIR) -> Path:
    """Where a studio recording of a prompt belongs, whether or not there is one."""
    return root / language / STUDIO / f"{prompt}.wav"


def prompt_file(language: Language, prompt: PromptId, root: Path = PROMPTS_DIR) -> Path:
    """The file to play: the studio recording if there is one, else the generated one.

    Raises `PromptError` if there is neither.
    """
    for path in (studio_file(language, prompt, root), generated_file(language, prompt, root)):
        if path.is_file():
            return path
    raise PromptError(f"prompt {prompt!r} has no recording in {language}")


def to_be_spoken(
    manifest: Manifest, anew: Collection[PromptId] = (), root: Path = PROMPTS_DIR
) -> list[tuple[Language, PromptId, str]]:
    """Language, id and text of what the generator has to speak: the prompts `anew`, or if there are none
    everything that has no recording yet. What has a studio recording is never among them.

    Raises `PromptError` for an id that no language has.
    """
    for prompt in anew:
        if not any(prompt in texts for texts in manifest.texts.values()):
            raise PromptError(f"there is no prompt {prompt!r}")

    def is_owed(language: Language, prompt: PromptId) -> bool:
        if studio_file(language, prompt, root).is_file():
            return False
        return prompt in anew if anew else not generated_file(language, prompt, root).is_file()

    return [
        (language, prompt, text)
        for language, texts in manifest.texts.items()
        for prompt, text in texts.items()
        if is_owed(language, prompt)
    ]
