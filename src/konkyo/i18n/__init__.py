"""Every text that a user reads in English or in Japanese, and the names of features."""

from konkyo.i18n.text import LANGUAGES, Language, Text, catalogue, display_name, section, t

__all__ = ["LANGUAGES", "Language", "Text", "catalogue", "display_name", "section", "t"]
