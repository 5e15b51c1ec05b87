"""What the documentation is made with: pages from code, from runs and from evidence."""

from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
