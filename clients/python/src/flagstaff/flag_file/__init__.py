"""The flag file, evaluated where there is no request."""

from .draw import Draw
from .file import FlagFile, FlagFileError
from .subject import NOBODY, Nobody

__all__ = ["NOBODY", "Draw", "FlagFile", "FlagFileError", "Nobody"]
